"""What should I freeze: from a comparison to a recommendation.

The rule: take the cheapest scenario that is not shown to be worse. A more expensive one counts as better if the
difference of their mean macro-F1 on the same test rows is at least `MIN_GAIN`, and is above zero in 95 % of the draws
of rows and seeds (`mtst.comparison.bootstrap`), in more where several are compared at once (Bonferroni). If a gain of
`MAX_OPEN_GAIN` by one that is not shown to be better lies within 90 % of the draws, there are too few rows to tell:
then results on public sets with about as many rows for each label join them (`mtst.comparison.best_guess`). Scenarios
that were stopped early (`mtst.comparison.race`) are not recommended.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import numpy as np

from mtst.comparison.best_guess import BestGuess, guess_best
from mtst.comparison.bootstrap import interval
from mtst.comparison.difference import MIN_GAIN, SIGNIFICANCE, Difference, Draws, difference_of, differences_to
from mtst.comparison.events import Dropped
from mtst.comparison.known_results import REFERENCE, Expectation, expect_for
from mtst.comparison.results import Comparison, ScenarioResult
from mtst.data.labels.sets import is_labelled
from mtst.data.tasks import Task
from mtst.evaluation.scores import mean_macro_f1
from mtst.training.scenarios import find_scenario


@dataclass(frozen=True)
class Recommendation:
    """Which scenario to take, and the differences that say so.

    Attributes:
        chosen: the recommended scenario.
        cheapest: the cheapest that is not shown to be worse; it is the chosen one if the rows are enough to tell.
        rows: all scenarios, by cost.
        dearer: the difference of each more expensive scenario to the cheapest one, without those stopped early.
        cheaper: the difference of the cheapest scenario to each cheaper one, likewise.
        test_rows: how many rows all were judged by.
        enough: whether these are enough to tell.
        useless: not even the chosen scenario is shown to beat the most frequent label.
        regression: how much more a logistic regression on the embeddings of the initial encoder scored than the best
            scenario; 0 if it did not.
        folds: in how many parts the rows judged; 1 if they were set aside.
        guess: what the rows and public sets say together, if the rows are not enough.
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
    dearer = differences_to(rows[index + 1 :], cheapest, draws)
    enough = not any(difference.open for difference in dearer)
    expected = None if enough else _expect(comparison)
    guess = guess_best(rows, rows[index:], draws, expected) if expected else None
    chosen = next((row for row in rows if guess and row.scenario == guess.scenario), cheapest)
    stopped = [row for row in results if row.scenario in comparison.dropped]
    return Recommendation(
        chosen=chosen,
        cheapest=cheapest,
        rows=tuple(results),
        dearer=dearer,
        cheaper=tuple(difference_of(cheapest, row, draws) for row in rows[:index]),
        test_rows=len(next(iter(comparison.started.truth.values()))),
        enough=enough,
        useless=bool(np.percentile(draws.above_majority(chosen.scenario), SIGNIFICANCE) <= 0),
        regression=max(0.0, _regression(comparison) - max(row.score for row in rows)),
        folds=comparison.folds,
        guess=guess,
        stopped=tuple(difference_of(row, cheapest, draws) for row in stopped),
        dropped=tuple(comparison.dropped.values()),
        intervals={row.scenario: interval(draws.scores(row.scenario)) for row in results},
        to_chosen={row.scenario: difference_of(row, chosen, draws) for row in results if row is not chosen},
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
            f"{title(wide.scenario)} scored {_points(wide.gain)} than {title(advice.cheapest.scenario)}, but with "
            f"{advice.judged_by} anything from {_bounds(wide)} is possible.",
            _best_guess(advice.guess, title)
            or f"Until there are more rows, take {title(chosen.scenario)}, the cheapest that nothing is shown to beat.",
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
            within = "which may be chance" if not best.shown and best.least <= 0 else "too little to matter"
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
    for dropped in advice.dropped:
        behind = f"{100 * (dropped.leader_score - dropped.score):.1f} points behind {title(dropped.leader)}"
        sentences.append(f"{title(dropped.scenario)} was stopped {stopping_point(dropped, advice.folds)}, {behind}.")
    return sentences


def _best_guess(guess: BestGuess | None, title: Callable[[str], str]) -> str:
    """Return what to take until there are more rows, if public sets can say it."""
    if guess is None:
        return ""
    public = f"{guess.results} results on public data with about as many rows per label"
    if guess.scenario == REFERENCE:
        return f"With {public}, the best guess is {title(guess.scenario)}: no other is expected to score clearly more."
    return (
        f"With {public}, the best guess is {title(guess.scenario)}: {100 * guess.gain:.0f} points more than "
        f"{title(REFERENCE)} are expected."
    )


def _expect(comparison: Comparison) -> Expectation | None:
    """Return what public sets say of as many rows, by the task that has most labels."""
    started = comparison.started

    def labelled_rows(task: Task) -> int:
        if comparison.folds > 1:
            return int(is_labelled(started.truth[task.name]).sum())
        return started.train_rows + started.validation_rows

    return expect_for(started.tasks, labelled_rows)


def stopping_point(dropped: Dropped, folds: int) -> str:
    """Return when a scenario was stopped, in words."""
    if dropped.epoch is not None:
        return f"after {_count(dropped.epoch, 'epoch')}"
    return f"after {_count(dropped.rounds, 'fold' if folds > 1 else 'seed')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _points(gain: float) -> str:
    return f"{abs(100 * gain):.1f} points {'more' if gain >= 0 else 'less'}"


def _bounds(difference: Difference) -> str:
    return f"{100 * difference.low:+.1f} to {100 * difference.high:+.1f}"


def _times(row: ScenarioResult, than: ScenarioResult) -> str:
    factor = row.seconds / max(than.seconds, 0.01)
    return f"{factor:.0f} times as long" if factor >= 2 else f"{100 * (factor - 1):.0f}% longer"


def _regression(comparison: Comparison) -> float:
    """Return the mean macro-F1 of the logistic regression; 0 if there is none of a task that has test rows."""
    scores = comparison.started.logistic
    return mean_macro_f1(scores) if scores.keys() == comparison.started.majority.keys() else 0.0
