"""Why this label: the words that carry it, how often such a confidence was right, and the nearest training rows."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from mtst.analysis.explanation import Attribution, Explanation, explain, nearest_rows, row_labels
from mtst.data.dataset import Dataset
from mtst.errors import MtstError
from mtst.text import isolate_bidi, truncate
from mtst.ui.components.html import problem, quiet, sentence_list, table
from mtst.ui.components.sentence_box import clean_query
from mtst.ui.components.templates import render
from mtst.ui.plots.style import task_colour
from mtst.ui.predict.calibration import calibration_notes
from mtst.ui.services.model_data import UPLOADED, ModelData, find_model, model_data
from mtst.ui.services.services import Services

if TYPE_CHECKING:
    from mtst.model.multitask import MultiTaskSentenceTransformer

MIN_MARKED, MIN_NUMBERED = 0.02, 0.05  # the least shares of a word that is coloured, and of one with its number
STANDARD_ERRORS = 2  # a share below so many of its standard errors is not marked
FULL_COLOUR = 0.2  # the share that has the full colour where no word has more
MAX_ROWS = 20_000  # training rows that are compared with the sentence
CHUNK, MAX_SECONDS = 512, 60  # for embedding them the first time
NEAREST = 5
METHOD = quiet(
    "The numbers are points of probability: what a word adds when it comes in, on average over random orders of "
    "putting the words in (Shapley values; Castro, Gómez and Tejada 2009, Lundberg and Lee 2017). They add up from the "
    "probability without any word to that of the sentence. They say what moves this model, not what is true; half a "
    "sentence is unlike what it has learnt from; ± is the error of sampling, and a share within it is not marked."
)


@dataclass(frozen=True)
class Word:
    """A word as the template shows it, with the text before it; `side` is empty unless the word is marked."""

    before: str
    text: str
    side: str = ""
    strength: str = ""
    points: str = ""
    numbered: bool = False


def explain_prediction(services: Services, key: str, run: str | None, uploaded: str | None = None) -> Iterator[Markup]:
    """Yield the explanation of one sentence as HTML, as its parts are ready; `key` is that of `sentence_key`."""
    which, _, sentence = str(key).partition(":")
    sentence = clean_query(sentence)
    yield quiet("Taking the words apart …")
    try:
        model = find_model(services, which, run, uploaded)
        explanation = explain(model, sentence)
        if which == UPLOADED:
            no_rows = "The rows that this model has learned from did not come with it."
            yield _page(key, explanation, {}, quiet(no_rows))
            return
        yield _page(key, explanation, {}, quiet("Looking at the held-out rows …"))
        data = model_data(services, which, run)
        notes = calibration_notes(data, explanation)
        for nearest in _nearest(model, sentence, data):
            yield _page(key, explanation, notes, nearest)
    except MtstError as error:
        yield problem(error)


def sentence_key(which: str, sentence: str) -> str:
    """Return the key of the button that asks about a sentence and the model that labelled it."""
    return f"{which}:{sentence}"


def _page(key: str, explanation: Explanation, notes: Mapping[str, Markup], nearest: Markup) -> Markup:
    """Return an explanation; `notes` holds a note on each task's confidence, `nearest` the nearest rows."""
    tasks = [
        {
            "colour": task_colour(number),
            "name": truncate(attribution.task.name, 60),
            "label": truncate(attribution.label, 60),
            "percent": f"{100 * attribution.probability:.0f}",
            "words": _words(explanation, attribution),
            "unread": _unread(explanation),
            "calibration": notes.get(attribution.task.name, ""),
            "table": _numbers(explanation, attribution),
        }
        for number, attribution in enumerate(explanation.tasks)
    ]
    return render(
        "predict/explanation", key=key, sentence=explanation.sentence, tasks=tasks, method=METHOD, nearest=nearest
    )


def _words(explanation: Explanation, attribution: Attribution) -> Iterator[Word]:
    """Yield the words of the sentence; the larger the share of a word, the stronger its colour."""
    sentence, end = explanation.sentence, 0
    full = max(FULL_COLOUR, float(np.abs(attribution.contributions).max(initial=0.0)))
    for (start, stop), share, error in zip(
        explanation.spans, map(float, attribution.contributions), attribution.standard_errors, strict=True
    ):
        before, text, end = sentence[end:start], sentence[start:stop], stop
        within_error = np.isfinite(error) and abs(share) < STANDARD_ERRORS * error
        if abs(share) < MIN_MARKED or within_error:
            yield Word(before, text)
            continue
        side = "for" if share > 0 else "against"
        strength = f"{100 * abs(share) / full:.0f}"
        yield Word(before, text, side, strength, _points(share), numbered=abs(share) >= MIN_NUMBERED)


def _unread(explanation: Explanation) -> str:
    """Return the end of the sentence that the encoder does not read."""
    end = explanation.spans[-1][1] if explanation.spans else 0
    return explanation.sentence[end:] if explanation.sentence[end:].strip() else ""


def _points(share: float) -> str:
    return f"{100 * share:+.0f}".replace("-", "−")


def _numbers(explanation: Explanation, attribution: Attribution) -> Markup:
    """Return the shares of all words as a table, the largest first."""
    order = np.argsort(-np.abs(attribution.contributions), kind="stable")
    rows = [
        (
            truncate(explanation.sentence[slice(*explanation.spans[index])], 60),
            _points(attribution.contributions[index]),
            _error(float(attribution.standard_errors[index])),
        )
        for index in order
    ]
    rows.append(("without any word", f"{100 * attribution.baseline:.0f}", ""))
    rows.append(("all words", f"{100 * attribution.probability:.0f}", ""))
    task, label = (isolate_bidi(truncate(name, 60)) for name in (attribution.task.name, attribution.label))
    return table(("word", "points", "±"), rows, caption=f"{task}: what each word does for {label}")


def _error(error: float) -> str:
    return f"{100 * error:.0f}" if np.isfinite(error) else "?"


def _nearest(model: "MultiTaskSentenceTransformer", sentence: str, data: ModelData) -> Iterator[Markup]:
    """Yield the progress of embedding the training rows, then the nearest of those embedded in `MAX_SECONDS`."""
    rows = data.train if len(data.train) <= MAX_ROWS else data.train.take(range(MAX_ROWS))
    start, embedded = time.monotonic(), 0
    while embedded < len(rows) and time.monotonic() - start < MAX_SECONDS:
        model.encode(rows.texts[embedded : embedded + CHUNK])  # the encoder caches its embeddings
        embedded = min(embedded + CHUNK, len(rows))
        if time.monotonic() - start > 1:
            yield quiet(f"Embedding the training rows: {embedded:,} of {len(rows):,} …")
    rows = rows.take(range(embedded))
    nearest = nearest_rows(model, sentence, rows, NEAREST)
    among = "" if embedded == len(data.train) else f" among the first {embedded:,} of {len(data.train):,}"
    yield sentence_list(
        f"Nearest training rows{among}, by the model's own embeddings",
        ((rows.texts[row], [("cosine", f"{cosine:.2f}"), *_labels(rows, row)]) for row, cosine in nearest),
    )


def _labels(rows: Dataset, row: int) -> Sequence[tuple[str, str]]:
    names = (task.name for task in rows.tasks)
    return [(name, label or "no label") for name, label in zip(names, row_labels(rows, row), strict=True)]
