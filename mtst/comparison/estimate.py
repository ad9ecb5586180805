"""How long a run or a comparison takes: before it begins by the speed of the encoder, from then on by its own pace."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mtst.comparison.events import Attempt, ComparisonStarted
from mtst.comparison.race import Costs
from mtst.comparison.results import Comparison
from mtst.comparison.rows import RowPlan
from mtst.data.dataset import Dataset
from mtst.training.config import TrainConfig

if TYPE_CHECKING:
    from mtst.model.multitask import MultiTaskSentenceTransformer

EXPECTED = 0.85  # of the budget: scenarios end before their last epoch, or are stopped in their first attempt
LOADING_SECONDS = 3.0  # until a process has loaded the encoder
# A pass in training, which is a third of a step, takes less than to embed a row without gradients, in small batches:
# 0.4 to 0.7 of it on texts of 11 and of 32 tokens, the less the more their lengths differ.
PASS_IN_TRAINING = 0.55


@dataclass(frozen=True)
class Workload:
    """The rows that a run learns from and is scored on, and the seconds that its encoder takes to embed one of them."""

    train_rows: int
    validation_rows: int
    row_seconds: float

    @property
    def rows(self) -> int:
        """The number of all rows."""
        return self.train_rows + self.validation_rows


def expected_run_seconds(model: "MultiTaskSentenceTransformer", config: TrainConfig, work: Workload) -> float:
    """Return about how long a training run takes that has not begun, if it lasts all its epochs.

    Raises:
        SettingsError: the scenario cannot be followed with this config by a model of these layers.
    """
    from mtst.comparison.cost import training_costs  # it imports torch

    costs = training_costs(model, [config.scenario], config, work.train_rows, work.validation_rows)
    return LOADING_SECONDS + work.row_seconds * (work.rows + PASS_IN_TRAINING * costs[config.scenario])


def expected_comparison_seconds(
    model: "MultiTaskSentenceTransformer",
    data: Dataset,
    config: TrainConfig,
    attempts: Sequence[Attempt],
    row_seconds: float,
    *,
    race: bool = True,
) -> float:
    """Return about how long a comparison takes that has not begun.

    Args:
        model: a model of the same layers.
        data: all rows.
        config: the settings of all attempts, but for scenario and seed.
        attempts: what to try, as `plan_comparison` returns it.
        row_seconds: what the encoder takes to embed one of these rows.
        race: whether scenarios that are unlikely to win are stopped early.

    Raises:
        DataError: there is too little to learn from or to judge by.
        SettingsError: a scenario cannot be followed with this config.
    """
    from mtst.comparison.cost import training_costs  # it imports torch

    folds = 1 + max(attempt.fold for attempt in attempts)
    plan = RowPlan(data, config, folds)
    rows = plan.of(attempts[0])
    scenarios = dict.fromkeys(attempt.scenario for attempt in attempts)
    comparison = Comparison()
    comparison.extend(
        [
            ComparisonStarted(
                attempts=tuple(attempts),
                tasks=data.tasks,
                train_rows=len(rows.train),
                validation_rows=len(rows.validation),
                truth={},
                majority={},
                logistic={},
                precision=model.encoder.precision,
                seconds=LOADING_SECONDS + row_seconds * len(data),
                folds=folds,
                costs=training_costs(model, scenarios, config, len(rows.train), len(rows.validation)),
                pace=PASS_IN_TRAINING * row_seconds,
                race=race,
            )
        ]
    )
    return total_seconds(comparison) or comparison.started.seconds


def total_seconds(comparison: Comparison) -> float | None:
    """Return what all takes from beginning to end; None if that is not known."""
    remaining = remaining_seconds(comparison)
    if remaining is None:
        return None
    return comparison.started.seconds + sum(ended.seconds - ended.spared for ended in comparison.ended) + remaining


def remaining_seconds(comparison: Comparison) -> float | None:
    """Return how long the rest takes; None if that is not known."""
    if not comparison.has_started or not comparison.started.pace:
        return None
    return _pace(comparison) * _passes_left(comparison)


def _passes_left(comparison: Comparison) -> float:
    """Return the passes that are left of all attempts; of those that race, what the budget has room for."""
    costs = Costs(comparison)
    taken = {one.attempt: one.epoch / max(1, one.epochs) for one in comparison.epochs}
    left = {
        one: costs.of(one.scenario) * (1 - taken.get(one, 0.0))
        for one in comparison.attempts
        if one not in comparison.completed
    }
    alone = sum(passes for one, passes in left.items() if one.task is not None)
    together = sum(passes for one, passes in left.items() if one.task is None)
    if comparison.started.race:
        current = comparison.current
        begun = left[current] if current and current.task is None and current in taken else 0.0
        needed = begun + costs.rounds_left * (costs.free + min(map(costs.of, costs.racing), default=0.0))
        together = min(together, max(needed, EXPECTED * costs.budget - costs.spent))
    return alone + together


def _pace(comparison: Comparison) -> float:
    """Return the seconds of a pass.

    It begins with what a few steps took, which counts as much as an attempt with the dearest scenario, and comes to be
    what attempts have taken: cheap ones say little about dear ones, and the estimate does not jump.
    """
    costs = comparison.started.costs
    passes = {one.attempt: costs[one.attempt.scenario] * one.epoch / max(1, one.epochs) for one in comparison.epochs}
    known = sum(passes.get(ended.attempt, 0.0) for ended in comparison.ended)
    seconds = sum(ended.seconds - ended.spared for ended in comparison.ended)
    weight = max(costs.values(), default=0.0)
    return (weight * comparison.started.pace + seconds) / (weight + known) if weight else comparison.started.pace
