"""What a training run says while it runs: a small fixed vocabulary."""

from dataclasses import dataclass
from typing import Literal

from mtst.data.tasks import Task
from mtst.evaluation.scores import Confusion, Scores
from mtst.evaluation.semantic_similarity import EmbeddingQuality
from mtst.training.epoch_selection import EpochRule

Cached = Literal["embeddings", "hidden states", "nothing"]


@dataclass(frozen=True)
class GroupPlan:
    """One layer group in a run: its size, the epoch at which it opens if it does, and the rate it peaks at."""

    key: str
    title: str
    parameters: int
    opens_at: int | None
    rate: float
    task: str | None

    @property
    def open(self) -> bool:
        """Whether it ever opens."""
        return self.opens_at is not None


@dataclass(frozen=True)
class Started:
    """Training is about to begin.

    `counts[task.name]` has the number of training rows of each of a task's labels. `cached` says what is computed once
    and looked up from then on: the embeddings of a frozen encoder, or what enters its lowest open block. `keeps` says
    which epoch is kept, as `mtst.training.epoch_selection` does. `zero_shot` tells that no head has learned before.
    """

    scenario: str
    tasks: tuple[Task, ...]
    counts: dict[str, tuple[int, ...]]
    groups: tuple[GroupPlan, ...]
    train_rows: int
    validation_rows: int
    epochs: int
    steps: int
    cached: Cached
    keeps: EpochRule
    precision: Literal["bf16", "fp32"]
    zero_shot: bool = True
    kind: Literal["started"] = "started"


@dataclass(frozen=True)
class Embedded:
    """`rows` of all `total` sentences have been passed through what is frozen, once for as long as it is."""

    rows: int
    total: int
    seconds: float
    kind: Literal["embedded"] = "embedded"


@dataclass(frozen=True)
class Baselines:
    """What is reached on the validation rows without training: scores by baseline and task.

    `majority` always answers with the most frequent label, as sure as it is frequent; `logistic` is a logistic
    regression on the embeddings of the encoder as it was.
    """

    majority: dict[str, Scores]
    logistic: dict[str, Scores]
    seconds: float
    kind: Literal["baselines"] = "baselines"


@dataclass(frozen=True)
class Opened:
    """Groups were unfrozen at the beginning of an epoch; `cached` is as in `Started`, from here on."""

    epoch: int
    groups: tuple[str, ...]
    cached: Cached
    seconds: float
    kind: Literal["opened"] = "opened"


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
    labelled row on a side is absent there. `drift` is how far the embeddings of the validation rows have turned from
    those before training: 1 - their mean cosine. `weights` are those of the tasks in the joint loss.
    """

    epoch: int
    step: int
    train: dict[str, Scores]
    validation: dict[str, Scores]
    drift: float
    weights: dict[str, float]
    seconds: float
    kind: Literal["epoch"] = "epoch"


@dataclass(frozen=True)
class GroupProof:
    """What became of one layer group: the epochs in which it was open, and how far its weights moved.

    `change` is |now - then| / |then|, `now` being the epoch that is kept: a group that opened after it has moved by 0.
    `same` says that the SHA-256 of its bytes is what it was.
    """

    key: str
    title: str
    parameters: int
    open_epochs: tuple[int, int] | None
    rate: float
    change: float
    same: bool


@dataclass(frozen=True)
class Finished:
    """The model now holds the weights of the best epoch.

    `confusion[task]` counts the validation rows by label (row) and predicted label (column). `stopped` if it was asked
    to, `out_of_time` if that was because its time was up, `early` if patience ran out. `space` is that of the encoder
    before and after, where it was open.
    """

    best_epoch: int
    stopped: bool
    early: bool
    proof: tuple[GroupProof, ...]
    confusion: dict[str, Confusion]
    seconds: float
    out_of_time: bool = False
    space: tuple[EmbeddingQuality, EmbeddingQuality] | None = None
    kind: Literal["finished"] = "finished"


@dataclass(frozen=True)
class RateTried:
    """One step of the rate finder: the rates it was taken with, and the joint loss before it, smoothed."""

    step: int
    head_rate: float
    encoder_rate: float
    loss: float
    seconds: float
    kind: Literal["tried"] = "tried"


@dataclass(frozen=True)
class RatesFound:
    """The rate finder is done: the rates that it suggests."""

    head_rate: float
    encoder_rate: float
    seconds: float
    kind: Literal["found"] = "found"


@dataclass(frozen=True)
class Failed:
    """The run ended before its end; the message says why.

    `state` tells whether it could not go on, was stopped by request before it began, or was interrupted: its process
    or the whole app was killed.
    """

    message: str
    state: Literal["failed", "stopped", "interrupted"] = "failed"
    kind: Literal["failed"] = "failed"


@dataclass(frozen=True)
class Resumed:
    """The run goes on after an epoch; what came after that step did not happen. Epoch 0 is its very beginning."""

    epoch: int
    step: int
    kind: Literal["resumed"] = "resumed"


TrainingEvent = (
    Started
    | Embedded
    | Baselines
    | Opened
    | StepEnded
    | EpochEnded
    | Finished
    | RateTried
    | RatesFound
    | Failed
    | Resumed
)
