"""The public endpoints: called with gradio_client, by plain HTTP, or as MCP tools. No other event has a public name.

Their docstrings are the documentation that the API page and MCP show, to people and to language models.
"""

from typing import Any, TypedDict

import gradio as gr
import numpy as np

from mtst.analysis.similarity import cosine
from mtst.data.oddities.treatments import Treatments
from mtst.encoders.texts import has_lone_surrogate
from mtst.errors import DataError
from mtst.training.config import TrainConfig
from mtst.training.scenarios import comparable_scenarios
from mtst.ui.api.calls import Calls, endpoint
from mtst.ui.api.requests import job_from_request
from mtst.ui.api.run_state import RunState, run_state
from mtst.ui.components.sentence_box import MAX_CHARACTERS
from mtst.ui.components.sentence_box import MAX_SENTENCES as MAX_COMPARED
from mtst.ui.scenarios.comparison_start import as_comparison
from mtst.ui.server.visitors import visitor_id
from mtst.ui.services.model_data import STARTER, TRAINED, find_model
from mtst.ui.services.model_zip import make_model_zip
from mtst.ui.services.services import Services

MAX_SENTENCES = 1_000
DIGITS = 6


class LabelPrediction(TypedDict):
    """What one head predicts for a sentence: the likeliest label, its probability, and those of all labels.

    `labels` are the predicted ones: the likeliest alone, or in a multi-label task all above its threshold, maybe none.
    """

    label: str
    labels: list[str]
    confidence: float
    probabilities: dict[str, float]


class Api:
    """The endpoints of one app, one method each."""

    def __init__(self, services: Services, demo: gr.Blocks) -> None:
        self.demo = demo
        self.calls = Calls()
        self._services = services

    @endpoint
    def embed(self, request: gr.Request, sentences: list[str]) -> list[list[float]]:
        """Embed sentences: return a vector for each, in their order. Similar meanings have similar vectors.

        Args:
            request: passed by the server.
            sentences: up to 1,000 sentences.
        """
        return _rounded(self._encode(self._texts(sentences)))

    @endpoint
    def similarity(
        self, request: gr.Request, sentences: list[str], others: list[str] | None = None
    ) -> list[list[float]]:
        """Return the cosine similarity of every sentence with every other: 1 means the same, 0 unrelated.

        Args:
            request: passed by the server.
            sentences: up to 200 sentences, one for each row of the result.
            others: up to 200 sentences, one for each column; `sentences` if left out.
        """
        rows = self._encode(self._texts(sentences, MAX_COMPARED))
        columns = self._encode(self._texts(others, MAX_COMPARED, "others")) if others else None
        return _rounded(cosine(rows, columns))

    @endpoint
    def predict(self, request: gr.Request, sentences: list[str], token: str = "") -> list[dict[str, LabelPrediction]]:
        """Label sentences: return for each, by task, the likeliest label, its confidence and all probabilities.

        Args:
            request: passed by the server.
            sentences: up to 1,000 sentences.
            token: that of a finished run of yours, to use its model; without it, topic and sentiment are predicted.
        """
        texts = self._texts(sentences)
        model = find_model(self._services, TRAINED if token else STARTER, token or None)
        predictions = model.predict(texts)
        return [
            {
                name: LabelPrediction(
                    label=head.task.labels[int(head.probabilities[row].argmax())],
                    labels=list(head.label_sets[row]),
                    confidence=round(head.confidences[row], DIGITS),
                    probabilities=dict(zip(head.task.labels, _rounded(head.probabilities[row]), strict=True)),
                )
                for name, head in predictions.items()
            }
            for row in range(len(texts))
        ]

    @endpoint
    def train(
        self,
        request: gr.Request,
        file: gr.FileData | None = None,
        table: str = "",
        text: str = "",
        labels: list[str] | None = None,
        scenario: str = "freeze-encoder",
        epochs: int | None = None,
        seed: int = 0,
        missing: list[str] | None = None,
        clean: list[str] | None = None,
    ) -> str:
        """Train on labelled sentences, in a queue; return the run's token, a secret that /run, /stop and /model need.

        Args:
            request: passed by the server.
            file: an uploaded table: CSV, TSV, JSON, Parquet, XLSX or ODS, also as .gz, .zst or .zip.
            table: the table as text in place of a file, such as CSV with a first row of names.
            text: the column of the sentences; guessed if left out.
            labels: the columns of the labels, one for each task, or NAME=COLUMN,COLUMN,COLUMN for columns of 0 and 1;
                guessed if left out.
            scenario: freeze-encoder (quick), few-examples, top-k, gradual, discriminative, lora, bitfit, train-all or
                freeze-all.
            epochs: passes over the rows; what suits the scenario if left out.
            seed: the same seed gives the same run.
            missing: cells that count as blank, such as NULL; the report lists those that look like it as oddities.
            clean: what to clean in the texts: html, unicode.
        """
        config = TrainConfig(scenario=scenario, epochs=epochs, seed=seed)
        treatments = Treatments(tuple(missing or ()), tuple(clean or ()))
        job, data = job_from_request(self._services, file, table, text, labels, config, treatments)
        return self._services.runs.submit(job, data, visitor_id(request))

    @endpoint
    def compare(
        self,
        request: gr.Request,
        file: gr.FileData | None = None,
        table: str = "",
        text: str = "",
        labels: list[str] | None = None,
        scenarios: list[str] | None = None,
        seeds: int = 1,
        alone: bool = False,
        race: bool = True,
        missing: list[str] | None = None,
        clean: list[str] | None = None,
    ) -> str:
        """Train every scenario on the same labelled sentences and recommend one; return a token for /run and /stop.

        Args:
            request: passed by the server.
            file: an uploaded table: CSV, TSV, JSON, Parquet, XLSX or ODS, also as .gz, .zst or .zip.
            table: the table as text in place of a file, such as CSV with a first row of names.
            text: the column of the sentences; guessed if left out.
            labels: the columns of the labels, one for each task, or NAME=COLUMN,COLUMN,COLUMN for columns of 0 and 1;
                guessed if left out.
            scenarios: those to compare; every one if left out.
            seeds: how often each is trained: 1 is quick, 3 is more reliable.
            alone: whether each task is trained alone too, to see whether learning together helps.
            race: whether scenarios that are unlikely to win are stopped early.
            missing: cells that count as blank, such as NULL; the report lists those that look like it as oddities.
            clean: what to clean in the texts: html, unicode.
        """
        treatments = Treatments(tuple(missing or ()), tuple(clean or ()))
        job, data = job_from_request(self._services, file, table, text, labels, TrainConfig(), treatments)
        job = as_comparison(job, data, scenarios or comparable_scenarios(data.tasks), seeds, alone=alone, race=race)
        return self._services.runs.submit(job, data, visitor_id(request))

    @endpoint
    def run(self, request: gr.Request, token: str) -> RunState:
        """Return the state of a run or a comparison: queue position, scores so far, and at the end its report.

        Args:
            request: passed by the server.
            token: what /train or /compare returned.
        """
        return self._state(token)

    @endpoint
    def stop(self, request: gr.Request, token: str) -> RunState:
        """Stop a run or a comparison within a step, and keep the best model so far; return what /run returns.

        Args:
            request: passed by the server.
            token: what /train or /compare returned.
        """
        self._services.runs.stop(token)
        return self._state(token)

    @endpoint
    def model(self, request: gr.Request, token: str) -> gr.FileData:
        """Return the model of a run that is over, encoder included, as a ZIP file with one folder in it.

        Args:
            request: passed by the server.
            token: what /train returned.
        """
        target = make_model_zip(self._services, token)
        return gr.FileData(path=str(target), orig_name=target.name)

    def _encode(self, sentences: list[str]) -> np.ndarray:
        return self._services.encoder.encode(sentences)

    def _texts(self, sentences: list[str], max_sentences: int = MAX_SENTENCES, name: str = "sentences") -> list[str]:
        """Return the sentences.

        Raises:
            DataError: they are too many or too long, or one is blank or holds half of a character.
        """
        max_characters = self._services.settings.max_characters
        if not 1 <= len(sentences) <= max_sentences:
            raise DataError(f"{name}: between 1 and {max_sentences:,} in a call, not {len(sentences):,}.")
        for index, sentence in enumerate(sentences):
            if not sentence.strip():
                raise DataError(f"{name}[{index}] is blank.")
            if len(sentence) > max_characters:
                raise DataError(f"{name}[{index}] is longer than {max_characters:,} characters.")
            if has_lone_surrogate(sentence):
                raise DataError(f"{name}[{index}] holds half of a character (a lone surrogate). Write it again.")
        if sum(map(len, sentences)) > MAX_CHARACTERS:
            raise DataError(f"{name}: more than {MAX_CHARACTERS:,} characters in one call. Send fewer.")
        return sentences

    def _state(self, token: str) -> RunState:
        runs = self._services.runs
        return run_state(runs.folder(token), runs.history(token), runs.position(token))


def _rounded(values: np.ndarray) -> Any:
    return np.round(values.astype(float), DIGITS).tolist()


def name_endpoints(services: Services, demo: gr.Blocks) -> None:
    """Add the endpoints to the app that is being built.

    They bypass Gradio's queue, so that programs never fill it for the visitors of the page; `Calls` limits them.
    """
    api = Api(services, demo)
    for method in (api.embed, api.similarity, api.predict, api.train, api.compare, api.run, api.stop, api.model):
        gr.api(  # type: ignore[attr-defined]  # public, but missing in the __all__ of gradio
            method, api_name=method.__name__, queue=False, concurrency_limit=None
        )
