"""What should I freeze: from a comparison to a recommendation.

The rule: of the scenarios that no more expensive one is shown to beat, take the one with the highest expected gain; up
to `MIN_GAIN` of it is given up for one that takes half of the time. What is expected is what the rows measured, joined
by results on public sets with about as many rows for each label, each by its certainty (`mtst.comparison.best_guess`).
Where public sets say too little, the cheapest of these scenarios is taken.

A more expensive scenario is shown to beat another if the difference of their mean macro-F1 on the same test rows is at
least `MIN_GAIN`, and is above zero in 95 % of the draws of rows and seeds (`mtst.comparison.bootstrap`), in more where
several are compared at once (Bonferroni). If a gain of `MAX_OPEN_GAIN` over the cheapest by one that is not shown to
beat it lies within 90 % of the draws, there are too few rows to tell. Scenarios that were stopped early
(`mtst.comparison.race`) are not recommended.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import numpy as np

from mtst.comparison.best_guess import BestGuess, expectation_of, guess_best
from mtst.comparison.bootstrap import interval
from mtst.comparison.difference import SIGNIFICANCE, Difference, Draws, difference_of, differences_to
from mtst.comparison.events import Dropped
from mtst.comparison.known_results import REFERENCE
from mtst.comparison.results import Comparison, ScenarioResult
from mtst.evaluation.scores import mean_macro_f1


@dataclass(frozen=True)
class Recommendation:
    """Which scenario to take, and the differences that say so.

    Attributes:
        chosen: the recommended scenario.
        cheapest: the cheapest that no more expensive one is shown to beat.
        rows: all scenarios, by cost.
        dearer: the difference of each more expensive scenario to the chosen one, without those stopped early.
        cheaper: the difference of the chosen scenario to each cheaper one, likewise.
        open: the differences to the cheapest that may be large, but are not shown.
        test_rows: how many rows all were judged by.
        enough: whether these are enough to tell: no difference is open.
        useless: not even the chosen scenario is shown to beat the most frequent label.
        regression: how much more a logistic regression on the embeddings of the initial encoder scored than the best
            scenario; 0 if it did not.
        folds: in how many parts the rows judged; 1 if they were set aside.
        guess: what the rows and public sets say together; None if these say too little.
        stopped: the difference to the cheapest of each that was stopped early, on the rows that both predicted.
        dropped: when and why each of these was stopped.
        intervals: the bounds of 90 % of the draws of each scenario's score, by its key.
        to_chosen: the difference of each other scenario to the chosen one, by its key.
    """

    chosen: ScenarioResult
    cheapest: ScenarioResult
    rows: tuple[ScenarioResult, ...]
    dearer: tuple[Difference, ...]
    cheaper: tuple[Difference, ...]
    open: tuple[Difference, ...]
    test_rows: int
    enough: bool
    useless: bool
    regression: float
    folds: int = 1
    guess: BestGuess | None = None
    stopped: tuple[Difference, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    to_chosen: Mapping[str, Difference] = field(default_factory=dict)

    @property
    def over_reference(self) -> Difference | None:
        """By how much the chosen scenario is better than heads only; None if it is that, or that has not run."""
        other = self.to_chosen.get(REFERENCE)
        if other is None:
            return None
        return Difference(self.chosen.scenario, REFERENCE, -other.gain, -other.high, -other.low, -other.high)

    @property
    def judged_by(self) -> str:
        """What all were judged by, in words."""
        rows = f"{self.test_rows:,}"
        return f"{rows} test rows" if self.folds == 1 else f"{self.folds}-fold cross-validation on all {rows} rows"


_recommendations: WeakKeyDictionary[Comparison, tuple[int, "Recommendation | None"]] = (
    WeakKeyDictionary()
)  # by the attempts it is of


def recommend(comparison: Comparison) -> Recommendation | None:
    """Return the recommendation of a comparison; None before two scenarios have ended.

    It is computed once for each attempt that ends, however often it is asked for.
    """
    ended = len(comparison.ended) + len(comparison.dropped)
    cached = _recommendations.get(comparison)
    if cached is None or cached[0] != ended:
        cached = _recommendations[comparison] = ended, _recommend(comparison)
    return cached[1]


def _recommend(comparison: Comparison) -> Recommendation | None:
    results = sorted(comparison.results, key=lambda row: row.seconds)
    if len(results) < 2:
        return None
    rows = [row for row in results if row.scenario not in comparison.dropped]
    draws = Draws(comparison)
    index = 0
    while any(difference.shown for difference in differences_to(rows[index + 1 :], rows[index], draws)):
        index += 1
    cheapest = rows[index]
    expected = expectation_of(comparison)
    guess = guess_best(rows, rows[index:], draws, expected) if expected else None
    chosen = next((row for row in rows if guess and row.scenario == guess.scenario), cheapest)
    place = rows.index(chosen)
    open_differences = tuple(one for one in differences_to(rows[index + 1 :], cheapest, draws) if one.open)
    stopped = [row for row in results if row.scenario in comparison.dropped]
    return Recommendation(
        chosen=chosen,
        cheapest=cheapest,
        rows=tuple(results),
        dearer=differences_to(rows[place + 1 :], chosen, draws),
        cheaper=tuple(difference_of(chosen, row, draws) for row in rows[:place]),
        open=open_differences,
        enough=not open_differences,
        test_rows=len(next(iter(comparison.started.truth.values()))),
        useless=bool(np.percentile(draws.above_majority(chosen.scenario), SIGNIFICANCE) <= 0),
        regression=max(0.0, _regression(comparison) - max(row.score for row in rows)),
        folds=comparison.folds,
        guess=guess,
        stopped=tuple(difference_of(row, cheapest, draws) for row in stopped),
        dropped=tuple(comparison.dropped.values()),
        intervals={row.scenario: interval(draws.scores(row.scenario)) for row in results},
        to_chosen={row.scenario: difference_of(row, chosen, draws) for row in results if row is not chosen},
    )


def _regression(comparison: Comparison) -> float:
    """Return the mean macro-F1 of the logistic regression; 0 if there is none of a task that has test rows."""
    scores = comparison.started.logistic
    return mean_macro_f1(scores) if scores.keys() == comparison.started.majority.keys() else 0.0
