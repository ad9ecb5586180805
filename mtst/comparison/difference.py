"""How much better one scenario is than another, and how certain that is."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mtst.comparison.bootstrap import Labels, Prediction, bootstrap_draws, interval, macro_f1_draws, widen
from mtst.comparison.results import Comparison, Rounds, ScenarioResult
from mtst.data.labels.sets import label_indices, to_mask
from mtst.data.tasks import Task

MIN_GAIN = 0.01  # macro-F1: a smaller gain is not worth a more expensive scenario
MAX_OPEN_GAIN = 0.05  # macro-F1: if a gain of this size cannot be ruled out, more rows are needed
SIGNIFICANCE = 5.0  # per cent of the draws in which what is shown may not hold


@dataclass(frozen=True)
class Difference:
    """How much better one scenario is than another, in macro-F1.

    `low` and `high` bound 90 % of the draws; all but a few of them exceed `least`.
    """

    scenario: str
    than: str
    gain: float
    low: float
    high: float
    least: float

    @property
    def shown(self) -> bool:
        """Whether it is shown to be better, and by enough to matter."""
        return self.least > 0 and self.gain >= MIN_GAIN

    @property
    def open(self) -> bool:
        """Whether it is not shown to be better, and a large gain is not ruled out."""
        return not self.shown and self.high > MAX_OPEN_GAIN


class Draws:
    """The mean macro-F1 of each scenario under the same draws of rows and seeds (draws,), computed when asked for."""

    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison
        self._scores: dict[tuple[str, Rounds], np.ndarray] = {}

    def difference(self, scenario: str, than: str) -> np.ndarray:
        """Return by how much a scenario is above another, on the rows that both have predicted."""
        rounds = self._comparison.rounds_of(scenario) & self._comparison.rounds_of(than)
        return widen(self._of(scenario, rounds) - self._of(than, rounds), self._comparison.folds)

    def scores(self, scenario: str) -> np.ndarray:
        """Return the macro-F1 of a scenario."""
        return widen(self._of(scenario, self._comparison.rounds_of(scenario)), self._comparison.folds)

    def above_majority(self, scenario: str) -> np.ndarray:
        """Return by how much a scenario is above always predicting the most frequent label."""
        started, rounds = self._comparison.started, self._comparison.rounds_of(scenario)
        majority = {task.name: _most_frequent(task, started.truth[task.name]) for task in started.tasks}
        constant = [
            Prediction({name: [label] * len(one.labels[name]) for name, label in majority.items()}, one.rows)
            for one in self._comparison.predictions(scenario, rounds)
        ]
        return widen(self._of(scenario, rounds) - self._draw(constant), self._comparison.folds)

    def _of(self, scenario: str, rounds: Rounds) -> np.ndarray:
        key = scenario, rounds
        if key not in self._scores:
            self._scores[key] = self._draw(self._comparison.predictions(scenario, rounds))
        return self._scores[key]

    def _draw(self, predictions: Sequence[Prediction]) -> np.ndarray:
        started = self._comparison.started
        count = len(next(iter(started.truth.values())))
        return macro_f1_draws(started.tasks, started.truth, predictions, *bootstrap_draws(count, len(predictions)))


def paired_difference(
    tasks: Sequence[Task], truth: Labels, scenario: tuple[str, Prediction], than: tuple[str, Prediction]
) -> Difference:
    """Return the difference of one run to another whose predictions are of the same rows.

    Args:
        tasks: the tasks.
        truth: the labels of the rows, by task.
        scenario: the key of the run's scenario, and its predictions.
        than: the same of the run that it is compared with.
    """
    rows = len(next(iter(truth.values())))
    scores = [macro_f1_draws(tasks, truth, [one], *bootstrap_draws(rows, 1)) for _, one in (scenario, than)]
    values = scores[0] - scores[1]
    least = float(np.percentile(values, SIGNIFICANCE))
    return Difference(scenario[0], than[0], float(values[0]), *interval(values), least)


def _most_frequent(task: Task, values: Sequence[int]) -> int:
    """Return the value that predicts the most frequent label of a task and no other."""
    counts = Counter(label for value in values for label in label_indices(task, value))
    label = max(range(len(task.labels)), key=lambda index: counts[index])
    return to_mask([label]) if task.multi else label


def differences_to(rows: Sequence[ScenarioResult], than: ScenarioResult, draws: Draws) -> tuple[Difference, ...]:
    """Return the difference of each of several scenarios to another."""
    return tuple(difference_of(row, than, draws, comparisons=len(rows)) for row in rows)


def difference_of(row: ScenarioResult, than: ScenarioResult, draws: Draws, comparisons: int = 1) -> Difference:
    """Return the difference of a scenario to another, being one of several comparisons."""
    values = draws.difference(row.scenario, than.scenario)
    least = float(np.percentile(values, SIGNIFICANCE / comparisons))
    return Difference(row.scenario, than.scenario, float(values[0]), *interval(values), least)
