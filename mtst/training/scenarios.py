"""The scenarios, a table: which layer groups open, and when. To add a scenario is to add a row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from mtst.data.tasks import Task
from mtst.errors import SettingsError
from mtst.model.layer_groups import EMBEDDINGS, HEAD, is_head
from mtst.model.trained_parts import Trains
from mtst.training.budget import Budget, EpochBudget, StepBudget
from mtst.training.config import ResolvedConfig, TrainConfig
from mtst.training.epoch_selection import EpochRule
from mtst.training.opening_rules import Opening, Rule, at_once, open_chosen, open_gradually, open_top_blocks

# The settings of every scenario that has none of its own.
DEFAULTS = {
    "head_rate": 1e-2,
    "encoder_rate": 1e-4,
    "layer_decay": 1.0,
    "warm_up": 0.1,
    "weight_decay": 0.01,
}
BATCH_SIZE = 32
BUDGET = StepBudget(200)  # of a scenario that has none of its own
EPOCHS_WITH_ALL_OPEN = 2  # at least, where groups open one after another


@dataclass(frozen=True)
class Scenario:
    """A choice of what to freeze, with the words that explain it and the settings that suit it.

    Attributes:
        opening: maps the keys of all groups, bottom up, to the epoch at which each open one opens.
        budget: how long a run takes by default, and how its encoder's rate follows from the rows.
        epoch_rule: which epoch is kept, unless patience is set; then it is the best.
        learns_from_pairs: the encoder learns from pairs of rows instead of the heads' losses; see
            `mtst.training.engine.losses`.
        full_batch: a step takes all rows by default, instead of `BATCH_SIZE`.
        head_penalty: how strongly heads are kept near where they began; see `mtst.training.engine.head_penalty`.
        trains: what trains of an open group of the encoder.
        defaults: values for what a `TrainConfig` leaves to the scenario; the encoder's rate at
            `mtst.training.budget.REFERENCE_ROWS` rows.
    """

    key: str
    title: str
    meaning: str
    consequence: str
    when: str
    opening: Rule
    budget: Budget = BUDGET
    epoch_rule: EpochRule = "settled"
    learns_from_pairs: bool = False
    full_batch: bool = False
    head_penalty: float = 0.0
    trains: Trains = "all"
    defaults: Mapping[str, float] = field(default_factory=dict)


FIXED = (
    Scenario(
        key="freeze-encoder",
        title="Heads only",
        meaning="The encoder keeps its pre-trained knowledge; only the small heads learn your labels.",
        consequence="Each sentence is embedded once, so training takes seconds. Nothing can be forgotten.",
        when="For a first answer in seconds, and as the score that training the encoder has to beat.",
        opening=at_once(is_head),
        # With all rows in a step and the penalty there is one minimum, which these epochs reach: no epoch has to be
        # chosen by a few validation rows, and no rate by the number of rows.
        budget=EpochBudget(100),
        epoch_rule="last",
        full_batch=True,
        head_penalty=6e-4,
        defaults={"head_rate": 0.2, "warm_up": 0.0, "weight_decay": 0.0},
    ),
    Scenario(
        key="top-k",
        title="Train the top blocks",
        meaning="The heads and the highest blocks learn; what lies below keeps its pre-trained knowledge.",
        consequence="What is below is computed once, so an epoch costs a part of a full one. Little is forgotten.",
        when="When training everything takes too long: on public data most of its gain is in the top blocks.",
        opening=open_top_blocks,
        defaults={"encoder_rate": 2e-4},
    ),
    Scenario(
        key="gradual",
        title="Gradual unfreezing",
        meaning="The heads learn first; then one group after another opens, from the top down (Howard and Ruder 2018).",
        consequence="New heads are ready before the encoder follows them, so it forgets less; early epochs are cheap.",
        when="On public data about as good as training everything; a little better from a hundred rows per label on.",
        opening=open_gradually,
    ),
    Scenario(
        key="train-all",
        title="Train everything",
        meaning="Encoder and heads all learn, the encoder with a much smaller step than the heads.",
        consequence="The most to gain and the most to lose: slow, and the encoder may forget what it knew in general.",
        when="With about a hundred rows or more, if the time does not matter.",
        opening=at_once(lambda _key: True),
    ),
    Scenario(
        key="discriminative",
        title="Layer-wise learning rates",
        meaning="All learn, but each group of the encoder with a smaller step than the one above it.",
        consequence="General knowledge, which sits low, changes least; as slow as training everything.",
        when="Instead of training everything, above all with few rows per label.",
        opening=at_once(lambda _key: True),
        defaults={"encoder_rate": 4e-4, "layer_decay": 0.7},
    ),
    Scenario(
        key="lora",
        title="Train small adapters (LoRA)",
        meaning="The heads learn, and beside each linear layer of the encoder a small adapter (Hu and others 2021).",
        consequence="The weights themselves stay as they are until, at the end, the adapters are merged into them. It "
        "takes about as long as training everything, with less memory.",
        when="Instead of training everything, when memory is short.",
        opening=at_once(lambda key: key != EMBEDDINGS),
        trains="adapters",
        defaults={"encoder_rate": 5e-4},
    ),
    Scenario(
        key="bitfit",
        title="Train the biases only (BitFit)",
        meaning="The heads and the encoder's biases learn, a thousandth of its weights (Ben Zaken and others 2022).",
        consequence="Every matrix stays bit for bit as it was. It takes about as long as training everything, because "
        "the gradient still passes through all blocks, with less memory.",
        when="With some hundred rows, as the smallest change of the encoder that all its blocks take part in.",
        opening=at_once(lambda _key: True),
        trains="biases",
        defaults={"encoder_rate": 3e-3},
    ),
    Scenario(
        key="few-examples",
        title="Few examples",
        meaning="The encoder learns from pairs: rows with the same label move together, others apart.",
        consequence="The last epoch is kept: a few held-out rows measure it roughly, and cannot choose between epochs.",
        when="With two to seven labels and a few hundred rows: on public data as good as training everything.",
        opening=at_once(lambda _key: True),
        budget=EpochBudget(14),
        epoch_rule="last",
        learns_from_pairs=True,
        defaults={"encoder_rate": 5e-5, "head_rate": 3e-2},
    ),
    Scenario(
        key="freeze-all",
        title="Freeze everything",
        meaning="Nothing learns. Each label is recognised by the meaning of its own words (zero-shot).",
        consequence="No training, only a measurement: the score that any training has to beat.",
        when="As a baseline: what do the words of your labels explain already?",
        opening=at_once(lambda _key: False),
        budget=EpochBudget(0),
    ),
    Scenario(
        key="custom",
        title="Choose the layers yourself",
        meaning="What you open below learns; everything else keeps its weights.",
        consequence="What lies below the lowest open group is computed once.",
        when="To try an idea of your own.",
        opening=open_chosen,
    ),
)


def _freeze_head(task: Task) -> Scenario:
    return Scenario(
        key=f"freeze-{HEAD}{task.name}",
        title=f"Freeze the {task} head",
        meaning=f"The {task} head stays as it begins (zero-shot); the encoder and every other head learn.",
        consequence=f"The encoder learns to speak to a fixed {task} head, and the other tasks pull it their way.",
        when="To see how far one task can move under a head that does not follow.",
        opening=at_once(lambda key: key != HEAD + task.name),
    )


def list_scenarios(tasks: Sequence[Task]) -> dict[str, Scenario]:
    """Return every scenario for a model with these tasks, by key, in the order to show them."""
    table = (*FIXED, *(_freeze_head(task) for task in tasks))
    return {scenario.key: scenario for scenario in table}


def comparable_scenarios(tasks: Sequence[Task]) -> list[str]:
    """Return the keys of the scenarios that can be compared without a choice of layers."""
    return [key for key, scenario in list_scenarios(tasks).items() if scenario.opening is not open_chosen]


def find_scenario(key: str, tasks: Sequence[Task]) -> Scenario:
    """Return a scenario by its key.

    Raises:
        SettingsError: there is none; the message lists the keys.
    """
    table = list_scenarios(tasks)
    if key not in table:
        raise SettingsError(f"There is no scenario {key!r}. Choose one of: {', '.join(table)}.")
    return table[key]


def resolve(config: TrainConfig, scenario: Scenario, keys: Sequence[str], rows: int) -> ResolvedConfig:
    """Fill in what a config leaves to its scenario, for so many training rows.

    A group that would open after the last epoch stays frozen.

    Raises:
        SettingsError: the scenario cannot be followed with this config.
    """
    suited = {**DEFAULTS, **scenario.defaults}
    suited["encoder_rate"] *= scenario.budget.encoder_rate_factor(rows)
    opening = scenario.opening(keys, config)
    batch_size = config.batch_size or (max(1, rows) if scenario.full_batch else BATCH_SIZE)
    epochs, patience = _length(config, scenario.budget, opening, rows, batch_size)
    return ResolvedConfig(
        scenario=scenario.key,
        opening={key: epoch for key, epoch in opening.items() if epoch <= epochs},
        epochs=epochs,
        batch_size=batch_size,
        head_rate=_first(config.head_rate, suited["head_rate"]),
        encoder_rate=_first(config.encoder_rate, suited["encoder_rate"]),
        layer_decay=_first(config.layer_decay, suited["layer_decay"]),
        decay=config.decay,
        warm_up=_first(config.warm_up, suited["warm_up"]),
        weight_decay=_first(config.weight_decay, suited["weight_decay"]),
        label_smoothing=config.label_smoothing,
        clip=config.clip,
        patience=patience,
        task_weights=config.task_weights,
        learn_weights=config.learn_weights,
        frozen_head_loss=config.frozen_head_loss,
        balance=config.balance,
        seed=config.seed,
        # With patience, training stops some epochs after the best one, so it is the best that is waited for.
        epoch_rule=scenario.epoch_rule if config.patience is None else "best",
        learns_from_pairs=scenario.learns_from_pairs,
        head_penalty=scenario.head_penalty,
        trains=scenario.trains,
    )


def _length(config: TrainConfig, budget: Budget, opening: Opening, rows: int, batch_size: int) -> tuple[int, float]:
    """Return the epochs of a run, and after how many past the one that is kept it ends; infinity for never."""
    if not opening:
        return 0, inf
    if config.epochs is not None:
        return config.epochs, _first(config.patience, inf)
    last_opening = max(opening.values())
    epochs = max(budget.epochs(rows, batch_size), last_opening - 1 + EPOCHS_WITH_ALL_OPEN)
    return epochs, _first(config.patience, _first(budget.patience(epochs), inf))


def _first(value: float | None, default: float) -> float:
    return default if value is None else value
