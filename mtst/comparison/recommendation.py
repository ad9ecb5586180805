"""What should I freeze: from a comparison to a recommendation.

The rule: take the cheapest scenario that is not shown to be worse. A more expensive one counts as better if the
difference of their mean macro-F1 on the same test rows is at least `MIN_GAIN`, and is above zero in 95 % of the draws
of rows and seeds (`mtst.comparison.bootstrap`), in more where several are compared at once (Bonferroni). If a gain of
`MAX_OPEN_GAIN` by one that is not shown to be better lies within 90 % of the draws, there are too few rows to tell.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from mtst.comparison.bootstrap import bootstrap_draws, interval, macro_f1_draws
from mtst.comparison.results import Comparison, ScenarioResult
from mtst.data.tasks import Task
from mtst.evaluation.scores import mean_macro_f1
from mtst.training.scenarios import find_scenario

MAJORITY = "majority"
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


@dataclass(frozen=True)
class Recommendation:
    """Which scenario to take, and the differences that say so.

    Attributes:
        chosen: the recommended scenario.
        rows: all scenarios, by cost.
        dearer: the difference of each more expensive scenario to the chosen one.
        cheaper: the difference of the chosen scenario to each cheaper one.
        test_rows: the rows that all were judged by.
        enough: whether these are enough to tell.
        useless: not even the chosen scenario is shown to beat the most frequent label.
        regression: how much more a logistic regression on the embeddings of the initial encoder scored than the best
            scenario; 0 if it did not.
    """

    chosen: ScenarioResult
    rows: tuple[ScenarioResult, ...]
    dearer: tuple[Difference, ...]
    cheaper: tuple[Difference, ...]
    test_rows: int
    enough: bool
    useless: bool
    regression: float


_recommendations: WeakKeyDictionary[Comparison, tuple[int, "Recommendation | None"]] = (
    WeakKeyDictionary()
)  # by the attempts it is of


def recommend(comparison: Comparison) -> Recommendation | None:
    """Return the recommendation of a comparison; None before two scenarios have ended.

    It is computed once for each attempt that ends, however often it is asked for.
    """
    ended = len(comparison.ended)
    cached = _recommendations.get(comparison)
    if cached is None or cached[0] != ended:
        cached = _recommendations[comparison] = ended, _recommend(comparison)
    return cached[1]


def _recommend(comparison: Comparison) -> Recommendation | None:
    rows = sorted(comparison.results, key=lambda row: row.seconds)
    if len(rows) < 2:
        return None
    draws = _draws(comparison, rows)
    index = 0
    while any(difference.shown for difference in _differences(rows[index + 1 :], rows[index], draws)):
        index += 1
    chosen = rows[index]
    dearer = _differences(rows[index + 1 :], chosen, draws)
    return Recommendation(
        chosen=chosen,
        rows=tuple(rows),
        dearer=dearer,
        cheaper=tuple(_difference(chosen, row, draws) for row in rows[:index]),
        test_rows=len(next(iter(comparison.started.truth.values()))),
        enough=not any(difference.open for difference in dearer),
        useless=bool(np.percentile(draws[chosen.scenario] - draws[MAJORITY], SIGNIFICANCE) <= 0),
        regression=max(0.0, _regression(comparison) - max(row.score for row in rows)),
    )


def describe(advice: Recommendation, tasks: Sequence[Task]) -> list[str]:
    """Return the recommendation in sentences, the most important first."""

    def title(key: str) -> str:
        return f"“{find_scenario(key, tasks).title}”"

    rows = {row.scenario: row for row in advice.rows}
    chosen = advice.chosen
    best = max(advice.dearer, key=lambda difference: difference.gain, default=None)
    sentences = []
    if advice.useless:
        sentences.append("None of these is shown to be better than always answering with the most frequent label.")
    if not advice.enough:
        wide = max((wide for wide in advice.dearer if wide.open), key=lambda wide: wide.high)
        sentences += [
            "Not enough data to tell.",
            f"{title(wide.scenario)} scored {_points(wide.gain)} than {title(chosen.scenario)}, but with "
            f"{advice.test_rows:,} test rows anything from {_bounds(wide)} is possible.",
            f"Until there are more rows, take {title(chosen.scenario)}, the cheapest that nothing is shown to beat.",
        ]
    else:
        sentences.append(f"Take {title(chosen.scenario)}.")
        if advice.cheaper:
            least = min(advice.cheaper, key=lambda difference: difference.gain)
            sentences.append(
                f"It scored {_points(least.gain)} ({_bounds(least)}) than {title(least.than)}, the best that is "
                f"cheaper, and took {_times(chosen, rows[least.than])}."
            )
        if best and best.gain > 0:
            within = "within the spread" if not best.shown and best.least <= 0 else "too little to matter"
            sentences.append(
                f"{title(best.scenario)} scored {_points(best.gain)} ({_bounds(best)}), {within}, and took "
                f"{_times(rows[best.scenario], chosen)}."
            )
        elif best:
            sentences.append("Nothing that costs more scored higher.")
    if advice.regression >= MIN_GAIN:
        sentences.append(
            f"A logistic regression on the frozen embeddings scored {_points(advice.regression)} than the best of "
            "these, perhaps by chance: these labels may need no training of the encoder."
        )
    return sentences


def _points(gain: float) -> str:
    return f"{abs(100 * gain):.1f} points {'more' if gain >= 0 else 'less'}"


def _bounds(difference: Difference) -> str:
    return f"{100 * difference.low:+.1f} to {100 * difference.high:+.1f}"


def _times(row: ScenarioResult, than: ScenarioResult) -> str:
    factor = row.seconds / max(than.seconds, 0.01)
    return f"{factor:.0f} times as long" if factor >= 2 else f"{100 * (factor - 1):.0f} % longer"


def _differences(
    rows: Sequence[ScenarioResult], than: ScenarioResult, draws: dict[str, np.ndarray]
) -> tuple[Difference, ...]:
    return tuple(_difference(row, than, draws, comparisons=len(rows)) for row in rows)


def _draws(comparison: Comparison, rows: list[ScenarioResult]) -> dict[str, np.ndarray]:
    """Return the mean macro-F1 of each scenario (draws,), and of the majority, under the same draws of test rows."""
    truth = comparison.started.truth
    count = len(next(iter(truth.values())))
    draws = {}
    for row in rows:
        predicted = [ended.predicted for ended in comparison.ended_of(row.scenario)]
        draws[row.scenario] = macro_f1_draws(truth, predicted, *bootstrap_draws(count, len(predicted)))
    majority = {task.name: _most_frequent(truth[task.name], len(task.labels)) for task in comparison.started.tasks}
    constant = {name: [label] * count for name, label in majority.items()}
    draws[MAJORITY] = macro_f1_draws(truth, [constant], *bootstrap_draws(count, 1))
    return draws


def _regression(comparison: Comparison) -> float:
    """Return the mean macro-F1 of the logistic regression; 0 if there is none of a task that has test rows."""
    scores = comparison.started.logistic
    return mean_macro_f1(scores) if scores.keys() == comparison.started.majority.keys() else 0.0


def _most_frequent(labels: tuple[int, ...], count: int) -> int:
    return int(np.bincount([label for label in labels if label >= 0], minlength=count).argmax())


def _difference(
    row: ScenarioResult, than: ScenarioResult, draws: dict[str, np.ndarray], comparisons: int = 1
) -> Difference:
    values = draws[row.scenario] - draws[than.scenario]
    least = float(np.percentile(values, SIGNIFICANCE / comparisons))
    return Difference(row.scenario, than.scenario, float(values[0]), *interval(values), least)
