"""The model card: what a model is, how well it does and how it was trained, for the Hub and for people.

The text is the template `assets/model_card.md.j2`. Every value in it is escaped for Markdown unless a filter says
otherwise.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Self

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup
from pydantic import TypeAdapter, ValidationError

from mtst.assets import ASSETS
from mtst.data.tasks import Task
from mtst.encoders.catalogue import CATALOGUE, catalogue_key
from mtst.errors import ModelError
from mtst.hub.repositories import HUB_ID

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

TEMPLATE = "model_card.md.j2"
TAGS = ["sentence-transformers", "feature-extraction", "text-classification", "multi-task", "mtst"]
MARKDOWN_SYNTAX = re.compile(r"([\\`*_{}\[\]<>#|!~&$])")


@dataclass(frozen=True)
class DataSummary:
    """The rows of a run."""

    source: str
    rows: int
    sha256: str
    train_rows: int
    validation_rows: int


@dataclass(frozen=True)
class TaskScores:
    """The scores of a task on some rows; see `mtst.evaluation.scores.Scores`."""

    rows: int
    accuracy: float
    macro_f1: float
    weighted_f1: float


@dataclass(frozen=True)
class GroupChange:
    """How far a group of layers moved in training; see `mtst.training.events.GroupProof`."""

    title: str
    parameters: int
    open_epochs: tuple[int, int] | None
    change: float
    same: bool


@dataclass(frozen=True)
class RunReport:
    """What a card takes from the report that `mtst.runs.report.build_report` makes."""

    data: DataSummary
    command: str
    groups: tuple[GroupChange, ...]
    best_epoch: int
    validation: dict[str, TaskScores]
    test: dict[str, TaskScores] = field(default_factory=dict)
    start: str = ""

    @property
    def splits(self) -> dict[str, dict[str, TaskScores]]:
        """The scores of each task by split."""
        return {"validation": self.validation} | ({"test": self.test} if self.test else {})

    @classmethod
    def parse(cls, report: bytes) -> Self:
        """Parse the JSON of a report.

        Raises:
            ModelError: it is no report of a run.
        """
        try:
            return TypeAdapter(cls).validate_json(report)
        except ValidationError as error:
            raise ModelError("report.json is not the report of a run. Take it away, or train again.") from error


@dataclass(frozen=True)
class Metric:
    """A score in the card.

    Attributes:
        hub_type: the Hub's name of the metric.
        title: its name in the card.
        attribute: its name in `TaskScores`.
        arguments: what tells two metrics of one `hub_type` apart.
    """

    hub_type: str
    title: str
    attribute: str
    arguments: dict[str, str] | None = None

    def value(self, scores: TaskScores) -> float:
        value: float = getattr(scores, self.attribute)
        return value


METRICS = (
    Metric("accuracy", "accuracy", "accuracy"),
    Metric("f1", "macro-F1", "macro_f1", {"average": "macro"}),
    Metric("f1", "weighted F1", "weighted_f1", {"average": "weighted"}),
)


def render_card(
    name: str, tasks: Sequence[Task], base: str, report: RunReport | None = None, *, prompt: str = ""
) -> str:
    """Return the card of a model as Markdown with the Hub's metadata.

    Args:
        name: of the model.
        tasks: of the model.
        base: the name of the encoder that training began with.
        report: of the run that the model comes from, if there was one.
        prompt: what the encoder puts in front of every text.
    """
    from huggingface_hub import ModelCardData

    key = catalogue_key(base)
    metadata = ModelCardData(
        library_name="sentence-transformers",
        pipeline_tag="sentence-similarity",
        license=CATALOGUE[key].license if key else None,
        base_model=_hub_id(base),
        tags=TAGS,
        model_name=name,
        eval_results=list(_eval_results(report)) if report else None,
        ignore_metadata_errors=False,
    )
    values = {"name": name, "tasks": tasks, "prompt": prompt, "report": report, "metrics": METRICS}
    return _template().render(values, metadata=metadata.to_yaml())


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(ASSETS),
        autoescape=False,  # noqa: S701 (`_escaped` escapes for Markdown)
        finalize=_escaped,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"verbatim": Markup, "code_block": _code_block, "code_span": _code_span}
    return environment.get_template(TEMPLATE)


def _escaped(value: object) -> object:
    """Escape text so that Markdown shows it as it is, on one line; what is marked as safe stays."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return MARKDOWN_SYNTAX.sub(r"\\\1", " ".join(value.split()))
    return value


def _code_block(code: str, language: str) -> Markup:
    """Return a fenced code block whose fence is longer than any row of backticks in the code."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", code)), default=0))
    return Markup(f"{fence}{language}\n{code}\n{fence}")  # noqa: S704 (it is Markdown, and the fence holds it)


def _code_span(text: str) -> Markup:
    """Return text on one line in code style; its fence is longer than any row of backticks in it."""
    line = " ".join(text.splitlines())
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    padded = f" {line} " if line[:1] == "`" or line[-1:] == "`" or (line[:1] == line[-1:] == " ") else line
    return Markup(f"{fence}{padded}{fence}")  # noqa: S704 (it is Markdown, and the fence holds it)


def _hub_id(encoder: str) -> str | None:
    """Return the id of an encoder on the Hub, if it has one."""
    if entry := CATALOGUE.get(encoder):
        return entry.hub_id
    return encoder if HUB_ID.fullmatch(encoder) and not Path(encoder).exists() else None


def _eval_results(report: RunReport) -> Iterator["EvalResult"]:
    from huggingface_hub import EvalResult

    for split, scores_by_task in report.splits.items():
        for task, scores in scores_by_task.items():
            for metric in METRICS:
                yield EvalResult(
                    task_type="text-classification",
                    task_name=task,
                    dataset_type="own",
                    dataset_name=report.data.source or "own data",
                    dataset_config=task,
                    dataset_split=split,
                    metric_type=metric.hub_type,
                    metric_name=metric.title,
                    metric_value=round(metric.value(scores), 4),
                    metric_args=metric.arguments,
                )
