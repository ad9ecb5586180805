"""How to train: every choice of a run but its data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil, inf, isfinite
from typing import NamedTuple

from mtst.data.dataset import Dataset
from mtst.data.split import MAX_VALIDATION_ROWS, stratified_split
from mtst.errors import SettingsError
from mtst.model.trained_parts import Trains
from mtst.training.epoch_selection import EpochRule

# What to do about rare labels.
BALANCES = {
    "none": "every row counts once",
    "class-weights": "a row of a rare label weighs more in the loss",
    "balanced-sampling": "a row of a rare label is drawn more often",
}
# How the rates fall after the warm-up.
DECAYS = {
    "cosine": "slowly, then quickly, then slowly to zero",
    "linear": "evenly to zero",
    "constant": "not at all",
}
# The allowed values of each number: lowest, highest, and whether the lowest itself is allowed.
RANGES: dict[str, tuple[float, float, bool]] = {
    "epochs": (1, 1000, True),
    "batch_size": (1, 4096, True),
    "top_blocks": (1, 1000, True),
    "epochs_per_group": (1, 1000, True),
    "head_rate": (0, 1, False),
    "encoder_rate": (0, 1, False),
    "layer_decay": (0, 1, False),
    "warm_up": (0, 1, True),
    "weight_decay": (0, 1, True),
    "label_smoothing": (0, 0.5, True),
    "clip": (0, inf, True),
    "patience": (1, 1000, True),
    "validation_share": (0, 1, False),
    "seed": (0, 2**32 - 1, True),
}


@dataclass(frozen=True)
class TrainConfig:
    """How to train. What is None follows from the scenario and the number of rows; see `mtst.training.budget`.

    Attributes:
        scenario: a key of `mtst.training.scenarios.list_scenarios`.
        open_groups: the groups that train in the scenario `custom`.
        top_blocks: the blocks that train in the scenario `top-k`.
        epochs_per_group: the epochs after which `gradual` opens the next group.
        epochs: passes over the training rows, 1 or more.
        batch_size: sentences per optimizer step; 32 unless the scenario takes all rows at once.
        head_rate: peak learning rate of open heads on embeddings of length 1; it is divided by the length of others.
        encoder_rate: peak learning rate of the encoder's highest open group.
        layer_decay: learning rate of an encoder group relative to that of the group above it.
        decay: how learning rates fall after the warm-up, a key of `DECAYS`.
        warm_up: share of the steps in which learning rates rise.
        weight_decay: share of its learning rate by which AdamW shrinks a matrix; never embeddings, biases and norms.
        label_smoothing: share of the target that is spread over all labels.
        clip: maximum norm of the gradient of all open groups together; 0 for none.
        patience: epochs after which training stops, if none of them is kept.
        task_weights: weight of each task's loss by its name; 1 if left out.
        learn_weights: learn the weights of the tasks from their uncertainty instead (Kendall, Gal and Cipolla 2018).
        frozen_head_loss: whether the loss of a frozen head still guides what is below it.
        validation_share: share of the rows held out, up to 1,000 rows.
        balance: what to do about rare labels, a key of `BALANCES`.
        seed: fixes the split, the order of the rows and dropout.

    Raises:
        SettingsError: a value makes no sense.
    """

    scenario: str = "freeze-encoder"
    open_groups: tuple[str, ...] = ()
    top_blocks: int = 2
    epochs_per_group: int = 1
    epochs: int | None = None
    batch_size: int | None = None
    head_rate: float | None = None
    encoder_rate: float | None = None
    layer_decay: float | None = None
    decay: str = "cosine"
    warm_up: float | None = None
    weight_decay: float | None = None
    label_smoothing: float = 0.0
    clip: float = 1.0
    patience: int | None = None
    task_weights: Mapping[str, float] = field(default_factory=dict)
    learn_weights: bool = False
    frozen_head_loss: bool = True
    validation_share: float = 0.15
    balance: str = "none"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, (low, high, with_low) in RANGES.items():
            value = getattr(self, name)
            if value is None:
                continue
            if (
                not (low <= value <= high)
                or (value == low and not with_low)
                or (name == "validation_share" and value == 1)
            ):
                raise SettingsError(f"{name} must {_range(low, high, with_low=with_low)}, not {value!r}.")
        for name, table in (("balance", BALANCES), ("decay", DECAYS)):
            if getattr(self, name) not in table:
                raise SettingsError(f"{name} must be one of {', '.join(table)}, not {getattr(self, name)!r}.")
        for task, weight in self.task_weights.items():
            if not (isfinite(weight) and weight >= 0):
                raise SettingsError(f"The weight of task {task!r} must be 0 or a number above it, not {weight!r}.")


def _range(low: float, high: float, *, with_low: bool) -> str:
    if high == inf:
        return f"be {low:g} or more"
    return f"lie between {low:g} and {high:g}" if with_low else f"be above {low:g} and at most {high:g}"


@dataclass(frozen=True)
class ResolvedConfig:
    """A `TrainConfig` whose gaps its scenario has filled: what a run is, with no value missing.

    Fields are those of `TrainConfig`, except:

    Attributes:
        opening: the epoch, from 1, at which each group opens; a group that is absent stays frozen.
        epochs: passes over the training rows; 0 if nothing trains.
        patience: infinity if training never stops early.
        epoch_rule: which epoch is kept.
        learns_from_pairs: the encoder learns from pairs of rows instead of the heads' losses.
        head_penalty: how strongly heads are kept near where they began; see `mtst.training.engine.head_penalty`.
        trains: what trains of an open group of the encoder.
    """

    scenario: str
    opening: Mapping[str, int]
    epochs: int
    batch_size: int
    head_rate: float
    encoder_rate: float
    layer_decay: float
    decay: str
    warm_up: float
    weight_decay: float
    label_smoothing: float
    clip: float
    patience: float
    task_weights: Mapping[str, float]
    learn_weights: bool
    frozen_head_loss: bool
    balance: str
    seed: int
    epoch_rule: EpochRule
    learns_from_pairs: bool
    head_penalty: float = 0.0
    trains: Trains = "all"

    @property
    def last_opening(self) -> int:
        """The epoch from which all groups are open that ever open."""
        return max(self.opening.values(), default=1)

    def steps_per_epoch(self, rows: int) -> int:
        """Return the optimizer steps of one pass over so many training rows."""
        return ceil(rows / self.batch_size)

    def open_at(self, epoch: int) -> set[str]:
        """Return the keys of the groups that are open in an epoch."""
        return {key for key, opens_at in self.opening.items() if opens_at <= epoch}


class Split(NamedTuple):
    """The rows to train on, and those to validate on."""

    train: Dataset
    validation: Dataset


def split(data: Dataset, config: TrainConfig) -> Split:
    """Split into train and validation as a run with this config does."""
    share = min(config.validation_share, MAX_VALIDATION_ROWS / max(len(data), 1))
    return Split(*stratified_split(data, share, config.seed))
