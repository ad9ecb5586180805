"""The model card: what a model is, how well it does and how it came about, as the Hub and a person read it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import TypeAdapter, ValidationError

from mtst.data.tasks import Task
from mtst.encoders.catalogue import CATALOGUE, HUB_ID
from mtst.errors import ModelError

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

TAGS = ["sentence-transformers", "feature-extraction", "text-classification", "multi-task", "mtst"]
LICENSES = {  # of the encoders that we know, as their own cards state them; what is trained from one keeps its license
    "sentence-transformers/all-MiniLM-L6-v2": "apache-2.0",
    "sentence-transformers/bert-base-nli-mean-tokens": "apache-2.0",
    "distilbert-base-uncased": "apache-2.0",
    "roberta-base": "mit",
    "nlpaueb/legal-bert-base-uncased": "cc-by-sa-4.0",
}
FIGURES = (  # the Hub's name of a figure, ours in words, ours in `Figures`, and what tells two of one name apart
    ("accuracy", "accuracy", "accuracy", None),
    ("f1", "macro-F1", "macro_f1", {"average": "macro"}),
    ("f1", "weighted F1", "weighted_f1", {"average": "weighted"}),
)


@dataclass(frozen=True)
class DataUsed:
    """The rows of a run, and how many of each task's labels it learned from."""

    source: str
    rows: int
    sha256: str
    train_rows: int
    validation_rows: int


@dataclass(frozen=True)
class Figures:
    """The scores of a task on some rows; see `mtst.evaluation.metrics.Scores`."""

    rows: int
    accuracy: float
    macro_f1: float
    weighted_f1: float


@dataclass(frozen=True)
class Moved:
    """What became of a group of layers; see `mtst.training.events.GroupProof`."""

    title: str
    parameters: int
    open_epochs: tuple[int, int] | None
    change: float
    same: bool


@dataclass(frozen=True)
class RunReport:
    """What a card tells of the report that `mtst.runs.report.build_report` makes."""

    data: DataUsed
    command: str
    groups: tuple[Moved, ...]
    best_epoch: int
    validation: dict[str, Figures]
    test: dict[str, Figures] = field(default_factory=dict)
    start: str = ""

    @property
    def splits(self) -> dict[str, dict[str, Figures]]:
        """The scores by the rows that they were measured on."""
        return {"validation": self.validation} | ({"test": self.test} if self.test else {})

    @classmethod
    def read(cls, report: bytes) -> Self:
        """Read the JSON of a report.

        Raises:
            ModelError: it is no report of a run.
        """
        try:
            return TypeAdapter(cls).validate_json(report)
        except ValidationError as error:
            raise ModelError("report.json is not the report of a run. Take it away, or train again.") from error


def card(name: str, tasks: Sequence[Task], base: str, report: RunReport | None = None) -> str:
    """Return the card of a model as Markdown with the Hub's metadata.

    Args:
        name: what the model is called.
        tasks: its tasks.
        base: the name of the encoder that it began with.
        report: of the run that it comes from, if there was one.
    """
    from huggingface_hub import ModelCardData

    hub_id = _hub_id(base)
    data = ModelCardData(
        library_name="sentence-transformers",
        pipeline_tag="sentence-similarity",
        license=LICENSES.get(hub_id or ""),
        base_model=hub_id,
        tags=TAGS,
        model_name=name,
        eval_results=list(_results(report)) if report else None,
        ignore_metadata_errors=False,
    )
    parts = [f"# {plain(name)}", _about(tasks), _use(), _tasks(tasks)]
    parts += [_scores(report), _proof(report.groups, report.best_epoch), _again(report)] if report else []
    return f"---\n{data.to_yaml()}\n---\n\n" + "\n\n".join(parts) + "\n"


def plain(text: str) -> str:
    """Return text that Markdown shows as it is, on one line."""
    return re.sub(r"([\\`*_{}\[\]<>#|!~&$])", r"\\\1", " ".join(text.split()))


def _hub_id(encoder: str) -> str | None:
    """Return the id of an encoder on the Hub, if it has one."""
    if entry := CATALOGUE.get(encoder):
        return entry.hub_id
    return encoder if HUB_ID.fullmatch(encoder) and not Path(encoder).exists() else None


def _results(report: RunReport) -> Iterator["EvalResult"]:
    from huggingface_hub import EvalResult

    for split, scores in report.splits.items():
        for task, found in scores.items():
            for kind, title, figure, arguments in FIGURES:
                yield EvalResult(
                    task_type="text-classification",
                    task_name=task,
                    dataset_type="own",
                    dataset_name=report.data.source or "own data",
                    dataset_config=task,
                    dataset_split=split,
                    metric_type=kind,
                    metric_name=title,
                    metric_value=round(getattr(found, figure), 4),
                    metric_args=arguments,
                )


def _about(tasks: Sequence[Task]) -> str:
    heads = "a head" if len(tasks) == 1 else f"{len(tasks)} heads"
    return (
        f"A sentence encoder with {heads} on top, made with mtst. `SentenceTransformer(folder)` loads the encoder; "
        "`heads.safetensors` holds the heads (the weights of head i under `i.weight` and `i.bias`), `mtst.json` the "
        "tasks and labels in their order."
    )


def _use() -> str:
    return '## Use it\n\n```sh\npip install -r requirements.txt\npython predict.py "A sentence." "Another one."\n```'


def _tasks(tasks: Sequence[Task]) -> str:
    rows = [(plain(task.name), ", ".join(map(plain, task.labels))) for task in tasks]
    return "## Tasks\n\n" + _table(("task", "labels"), rows)


def _scores(report: RunReport) -> str:
    rows = [
        (plain(task), split, f"{found.rows:,}", *(f"{getattr(found, figure):.3f}" for _, _, figure, _ in FIGURES))
        for split, scores in report.splits.items()
        for task, found in scores.items()
    ]
    note = (
        f"Validation: {report.data.validation_rows:,} rows that this training has not learned from, but by which its "
        "epoch was chosen."
    )
    if report.start:
        note += f" It went on from {plain(report.start)}, which may have learned from some of these rows before."
    header = ("task", "rows of", "rows", *(title for _, title, _, _ in FIGURES))
    return f"## Results\n\n{note}\n\n{_table(header, rows)}"


def _proof(groups: Sequence[Moved], best_epoch: int) -> str:
    rows = [
        (
            plain(group.title),
            f"{group.parameters:,}",
            f"epochs {group.open_epochs[0]} to {group.open_epochs[1]}" if group.open_epochs else "frozen",
            "0, same SHA-256" if group.same else f"{group.change:.5f}",
        )
        for group in groups
    ]
    note = (
        f"How far each group of layers moved up to epoch {best_epoch}, which was kept, relative to its length before."
    )
    return f"## What was frozen\n\n{note}\n\n" + _table(("layers", "parameters", "open", "change"), rows)


def _again(report: RunReport) -> str:
    data = report.data
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", report.command)), default=0))
    return (
        f"## Train it again\n\n{fence}sh\n{report.command}\n{fence}\n\n"
        f"{data.rows:,} rows, {data.train_rows:,} to learn from; SHA-256 of texts and labels `{data.sha256}`. "
        "`report.json` holds all settings, versions and scores."
    )


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
