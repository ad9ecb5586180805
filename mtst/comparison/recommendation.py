"""What should I freeze: from a comparison to a plain recommendation.

The rule: take the cheapest scenario that is not shown to be worse. A dearer one counts as better if the difference of
their mean macro-F1 on the same test rows is at least `WORTH`, and is above zero in 95 % of the draws of rows and seeds
(`mtst.comparison.bootstrap`), in more where several dearer ones are compared at once (Bonferroni). If a gain of `TOO_WIDE` by one
that is not shown to be better lies within 90 % of the draws, there are too few rows to tell, and that is said.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from mtst.comparison.bootstrap import draws_of, interval, macro_f1_draws
from mtst.comparison.results import Comparison, ScenarioResult
from mtst.data.tasks import Task
from mtst.evaluation.scores import mean_macro_f1
from mtst.training.scenarios import find_scenario

MAJORITY = "majority"
WORTH = 0.01  # macro-F1: a smaller gain is not worth a dearer scenario
TOO_WIDE = 0.05  # macro-F1: if a gain of this size cannot be ruled out, more rows are needed
SURE = 5.0  # per cent of the draws in which what is shown may not hold


@dataclass(frozen=True)
class Difference:
    """How much better one scenario is than another, in macro-F1.

    `low` and `high` bound nine tenths of the draws, `least` is what all but a few of them exceed.
    """

    scenario: str
    than: str
    gain: float
    low: float
    high: float
    least: float

    @property
    def shown(self) -> bool:
        """Whether it is shown to be better, by so much that it matters."""
        return self.least > 0 and self.gain >= WORTH

    @property
    def open(self) -> bool:
        """Whether it is not shown, and could still be large."""
        return not self.shown and self.high > TOO_WIDE


@dataclass(frozen=True)
class Recommendation:
    """Which scenario to take, and the differences that say so.

    `dearer` has the difference of each dearer scenario to the chosen one, `cheaper` that of the chosen one to each
    cheaper one. `enough` tells whether the test rows suffice, `useless` that not even the chosen scenario is shown to
    beat always answering with the most frequent label. `regression` is how much more a logistic regression on the
    embeddings of the encoder as it was scored than the best scenario, 0 if it did not.
    """

    chosen: ScenarioResult
    rows: tuple[ScenarioResult, ...]
    dearer: tuple[Difference, ...]
    cheaper: tuple[Difference, ...]
    test_rows: int
    enough: bool
    useless: bool
    regression: float


_known: WeakKeyDictionary[Comparison, tuple[int, "Recommendation | None"]] = (
    WeakKeyDictionary()
)  # by the attempts it is of


def recommend(comparison: Comparison) -> Recommendation | None:
    """Return the recommendation of a comparison; nothing before two scenarios have ended.

    It is worked out once for each attempt that ends, however often one looks.
    """
    ended = len(comparison.ended)
    if _known.get(comparison, (None,))[0] != ended:
        _known[comparison] = ended, _recommend(comparison)
    return _known[comparison][1]


def _recommend(comparison: Comparison) -> Recommendation | None:
    rows = sorted(comparison.rows, key=lambda row: row.seconds)
    if len(rows) < 2:
        return None
    draws = _draws(comparison, rows)
    place = 0
    while any(each.shown for each in _differences(rows[place + 1 :], rows[place], draws)):
        place += 1
    chosen = rows[place]
    dearer = _differences(rows[place + 1 :], chosen, draws)
    return Recommendation(
        chosen=chosen,
        rows=tuple(rows),
        dearer=dearer,
        cheaper=tuple(_difference(chosen, row, draws) for row in rows[:place]),
        test_rows=len(next(iter(comparison.started.truth.values()))),
        enough=not any(each.open for each in dearer),
        useless=bool(np.percentile(draws[chosen.scenario] - draws[MAJORITY], SURE) <= 0),
        regression=max(0.0, _regression(comparison) - max(row.score for row in rows)),
    )


def describe(advice: Recommendation, tasks: Sequence[Task]) -> list[str]:
    """Return the recommendation in plain words, the most important first."""

    def named(key: str) -> str:
        return f"“{find_scenario(key, tasks).title}”"

    rows = {row.scenario: row for row in advice.rows}
    chosen = advice.chosen
    best = max(advice.dearer, key=lambda each: each.gain, default=None)
    said = []
    if advice.useless:
        said.append("None of these is shown to be better than always answering with the most frequent label.")
    if not advice.enough:
        wide = max((each for each in advice.dearer if each.open), key=lambda each: each.high)
        said += [
            "Not enough data to tell.",
            f"{named(wide.scenario)} scored {_points(wide.gain)} than {named(chosen.scenario)}, but with "
            f"{advice.test_rows:,} test rows anything from {_bounds(wide)} is possible.",
            f"Until there are more rows, take {named(chosen.scenario)}, the cheapest that nothing is shown to beat.",
        ]
    else:
        said.append(f"Take {named(chosen.scenario)}.")
        if advice.cheaper:
            least = min(advice.cheaper, key=lambda each: each.gain)
            said.append(
                f"It scored {_points(least.gain)} ({_bounds(least)}) than {named(least.than)}, the best that is "
                f"cheaper, and took {_times(chosen, rows[least.than])}."
            )
        if best and best.gain > 0:
            within = "within the spread" if not best.shown and best.least <= 0 else "too little to matter"
            said.append(
                f"{named(best.scenario)} scored {_points(best.gain)} ({_bounds(best)}), {within}, and took "
                f"{_times(rows[best.scenario], chosen)}."
            )
        elif best:
            said.append("Nothing that costs more scored higher.")
    if advice.regression >= WORTH:
        said.append(
            f"A logistic regression on the frozen embeddings scored {_points(advice.regression)} than the best of "
            "these, perhaps by chance: these labels may need no training of the encoder."
        )
    return said


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
    return tuple(_difference(row, than, draws, at_once=len(rows)) for row in rows)


def _draws(comparison: Comparison, rows: list[ScenarioResult]) -> dict[str, np.ndarray]:
    """Return the mean macro-F1 of each scenario (draws,), and of the majority, under the same draws of test rows."""
    truth = comparison.started.truth
    count = len(next(iter(truth.values())))
    found = {}
    for row in rows:
        predicted = [one.predicted for one in comparison.attempts_of(row.scenario)]
        found[row.scenario] = macro_f1_draws(truth, predicted, *draws_of(count, len(predicted)))
    most = {task.name: _most_frequent(truth[task.name], len(task.labels)) for task in comparison.started.tasks}
    constant = {name: [label] * count for name, label in most.items()}
    found[MAJORITY] = macro_f1_draws(truth, [constant], *draws_of(count, 1))
    return found


def _regression(comparison: Comparison) -> float:
    """Return the mean macro-F1 of the logistic regression; 0 if there is none of a task that has test rows."""
    found = comparison.started.logistic
    return mean_macro_f1(found) if found.keys() == comparison.started.majority.keys() else 0.0


def _most_frequent(labels: tuple[int, ...], count: int) -> int:
    return int(np.bincount([label for label in labels if label >= 0], minlength=count).argmax())


def _difference(
    row: ScenarioResult, than: ScenarioResult, draws: dict[str, np.ndarray], at_once: int = 1
) -> Difference:
    values = draws[row.scenario] - draws[than.scenario]
    least = float(np.percentile(values, SURE / at_once))
    return Difference(row.scenario, than.scenario, float(values[0]), *interval(values), least)
