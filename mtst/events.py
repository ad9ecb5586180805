"""What a training run says while it runs: a small fixed vocabulary, and the history folded from it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from pydantic import ConfigDict, TypeAdapter

from mtst.evaluation import Scores, mean_macro_f1
from mtst.tasks import Task


@dataclass(frozen=True)
class GroupPlan:
    """One layer group in a run: its size, whether it is open, and the learning rate it peaks at."""

    key: str
    title: str
    parameters: int
    open: bool
    rate: float
    task: str | None


@dataclass(frozen=True)
class Started:
    """Training is about to begin.

    `counts[task.name]` has the number of training rows of each of a task's labels. `cached` says that the encoder is
    frozen and every sentence was embedded once.
    """

    scenario: str
    tasks: tuple[Task, ...]
    counts: dict[str, tuple[int, ...]]
    groups: tuple[GroupPlan, ...]
    train_rows: int
    validation_rows: int
    epochs: int
    steps: int
    cached: bool
    kind: Literal["started"] = "started"


@dataclass(frozen=True)
class Embedded:
    """With a frozen encoder, `rows` of all `total` sentences have been embedded, once for the whole run."""

    rows: int
    total: int
    seconds: float
    kind: Literal["embedded"] = "embedded"


@dataclass(frozen=True)
class StepEnded:
    """One optimizer step, counted from 1, and the loss of each task that had a label in its batch."""

    step: int
    losses: dict[str, float]
    seconds: float
    kind: Literal["step"] = "step"


@dataclass(frozen=True)
class EpochEnded:
    """One pass over the training rows; epoch 0 is the model before training.

    Train scores are gathered while the weights move; validation scores are taken at the end. A task without a
    labelled row on a side is absent there.
    """

    epoch: int
    step: int
    train: dict[str, Scores]
    validation: dict[str, Scores]
    seconds: float
    kind: Literal["epoch"] = "epoch"


@dataclass(frozen=True)
class Finished:
    """The model now holds the weights of the best epoch; `changes` is the relative weight change of each group."""

    best_epoch: int
    stopped: bool
    changes: dict[str, float]
    seconds: float
    kind: Literal["finished"] = "finished"


@dataclass(frozen=True)
class Failed:
    """The run ended without a model; the message says why. `stopped` if that is what was asked for."""

    message: str
    stopped: bool = False
    kind: Literal["failed"] = "failed"


Event = Started | Embedded | StepEnded | EpochEnded | Finished | Failed
_EVENT: TypeAdapter[Event] = TypeAdapter(Event, config=ConfigDict(ser_json_inf_nan="constants"))


def to_json(event: Event) -> bytes:
    """Return an event as one line of JSON, without the line end."""
    return _EVENT.dump_json(event)


def from_json(line: bytes) -> Event:
    """Read an event that `to_json` wrote.

    Raises:
        pydantic.ValidationError: the line is not an event.
    """
    return _EVENT.validate_json(line)


@dataclass
class History:
    """A run as its events tell it; everything that is drawn or said about a run is read from here."""

    started: Started | None = None
    embedded: Embedded | None = None
    steps: list[StepEnded] = field(default_factory=list)
    epochs: list[EpochEnded] = field(default_factory=list)
    finished: Finished | None = None
    failed: Failed | None = None

    def extend(self, events: Iterable[Event]) -> None:
        """Take in what happened next."""
        for event in events:
            match event:
                case Started():
                    self.started = event
                case Embedded():
                    self.embedded = event
                case StepEnded():
                    self.steps.append(event)
                case EpochEnded():
                    self.epochs.append(event)
                case Finished():
                    self.finished = event
                case Failed():
                    self.failed = event

    @property
    def over(self) -> bool:
        return self.finished is not None or self.failed is not None

    @property
    def elapsed(self) -> float:
        """Seconds of training so far."""
        if self.finished:
            return self.finished.seconds
        return max(
            (events[-1].seconds for events in (self.steps, self.epochs, [self.embedded]) if events and events[-1]),
            default=0.0,
        )

    @property
    def remaining(self) -> float | None:
        """Expected seconds to go, at the pace of the steps so far; nothing while there are fewer than two."""
        if not self.started or len(self.steps) < 2:
            return None
        first, last = self.steps[0], self.steps[-1]
        return (last.seconds - first.seconds) / (last.step - first.step) * (self.started.steps - last.step)

    @property
    def best(self) -> EpochEnded | None:
        """The epoch whose model is kept: the highest mean macro-F1 on validation, the earliest of equals."""
        return max(self.epochs, key=lambda epoch: mean_macro_f1(epoch.validation), default=None)
