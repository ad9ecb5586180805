"""The events of a training run: a small fixed vocabulary."""

from dataclasses import dataclass, field
from typing import Literal

from mtst.data.tasks import Task
from mtst.evaluation.scores import Confusion, Scores
from mtst.evaluation.semantic_similarity import EmbeddingQuality
from mtst.training.epoch_selection import EpochRule

Cached = Literal["embeddings", "hidden states", "nothing"]


@dataclass(frozen=True)
class GroupPlan:
    """One layer group in a run: its size, the epoch at which it opens (None: never), and its peak learning rate.

    `part` is the number of parameters that train while it is open, if these are not all of its own.
    """

    key: str
    title: str
    parameters: int
    opens_at: int | None
    rate: float
    task: str | None
    part: int | None = None

    @property
    def open(self) -> bool:
        """Whether it ever opens."""
        return self.opens_at is not None

    @property
    def trained(self) -> int:
        """The number of parameters that ever train."""
        if not self.open:
            return 0
        return self.parameters if self.part is None else self.part


@dataclass(frozen=True)
class Started:
    """Training is about to begin.

    `counts[task.name]` has the number of training rows of each of a task's labels. `cached` is what is computed once
    and looked up from then on: the embeddings of a frozen encoder, or what enters its lowest open block. `keeps` is the
    rule by which an epoch is kept, see `mtst.training.epoch_selection`. `zero_shot`: no head has learned before.
    `prompt` is what the encoder puts in front of every text.
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
    prompt: str = ""
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
    """Scores on the validation rows without training, by task.

    `majority` always predicts the most frequent label, with its frequency as probability; `logistic` is a logistic
    regression on the embeddings of the initial encoder.
    """

    majority: dict[str, Scores]
    logistic: dict[str, Scores]
    seconds: float
    kind: Literal["baselines"] = "baselines"


@dataclass(frozen=True)
class Opened:
    """Groups were unfrozen at the beginning of an epoch; `cached` is that of `Started`, from here on."""

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

    Train scores are collected while the weights move; validation scores are computed at the end. A task without a
    labelled row is absent. `drift` is how far the embeddings of the validation rows have turned from those before
    training: 1 - their mean cosine. `weights` are those of the tasks in the joint loss. `moved` has how far the weights
    of each open layer group are from those before training, as `GroupProof.change` says it.
    """

    epoch: int
    step: int
    train: dict[str, Scores]
    validation: dict[str, Scores]
    drift: float
    weights: dict[str, float]
    seconds: float
    moved: dict[str, float] = field(default_factory=dict)
    kind: Literal["epoch"] = "epoch"


@dataclass(frozen=True)
class GroupProof:
    """What became of one layer group: the epochs in which it was open, and how far its weights moved.

    `change` is |after - before| / |before|, `after` being the epoch that is kept: a group that opened later has moved
    by 0. `same`: the SHA-256 of its bytes has not changed.
    `part` is the number of parameters that trained, if these were not all of its own; then `rest_same` says whether the
    others were the same by their SHA-256 until training ended, which is before adapters are merged into them.
    """

    key: str
    title: str
    parameters: int
    open_epochs: tuple[int, int] | None
    rate: float
    change: float
    same: bool
    part: int | None = None
    rest_same: bool | None = None

    @property
    def trained(self) -> int:
        """The number of parameters that trained."""
        if self.open_epochs is None:
            return 0
        return self.parameters if self.part is None else self.part


@dataclass(frozen=True)
class Finished:
    """The run has ended, and the model has the weights of the epoch that is kept.

    `confusion[task]` counts the validation rows by label (row) and predicted label (column). `stopped`: it was asked to
    stop; `out_of_time`: because its time was up; `early`: patience ran out. `space` is the quality of the embeddings
    before and after, if the encoder was open. `thresholds` are those of the multi-label tasks, chosen on the validation
    rows.
    """

    best_epoch: int
    stopped: bool
    early: bool
    proof: tuple[GroupProof, ...]
    confusion: dict[str, Confusion]
    seconds: float
    out_of_time: bool = False
    space: tuple[EmbeddingQuality, EmbeddingQuality] | None = None
    thresholds: dict[str, float] = field(default_factory=dict)
    kind: Literal["finished"] = "finished"


@dataclass(frozen=True)
class RateTried:
    """One step of the learning rate finder: its rates, and the smoothed joint loss before it."""

    step: int
    head_rate: float
    encoder_rate: float
    loss: float
    seconds: float
    kind: Literal["tried"] = "tried"


@dataclass(frozen=True)
class RatesFound:
    """The learning rate finder has ended: the rates that it suggests."""

    head_rate: float
    encoder_rate: float
    seconds: float
    kind: Literal["found"] = "found"


@dataclass(frozen=True)
class Failed:
    """The run has ended without a result; the message says why.

    `state`: it could not go on, was stopped by request before it began, or was interrupted: its process or the whole
    app was killed.
    """

    message: str
    state: Literal["failed", "stopped", "interrupted"] = "failed"
    kind: Literal["failed"] = "failed"


@dataclass(frozen=True)
class Resumed:
    """The run resumes after an epoch; events after that step do not count. Epoch 0 is its very beginning."""

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
