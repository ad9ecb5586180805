"""Which scenario is expected to be the best: by what the rows measured and by public sets, each by its certainty."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mtst.comparison.difference import MIN_GAIN, Draws
from mtst.comparison.known_results import REFERENCE, Expectation, expect_for
from mtst.comparison.results import Comparison, ScenarioResult
from mtst.data.labels.sets import is_labelled
from mtst.data.tasks import Task

SAVING = 0.5  # of the cost: what a gain below `MIN_GAIN` is given up for


@dataclass(frozen=True)
class BestGuess:
    """A scenario, and the expected gain of each over `REFERENCE` in macro-F1, by the rows and by so many results."""

    scenario: str
    gains: Mapping[str, float]
    results: int

    @property
    def gain(self) -> float:
        """The expected gain of the scenario."""
        return self.gains[self.scenario]


def guess_best(
    rows: Sequence[ScenarioResult], candidates: Sequence[ScenarioResult], draws: Draws, expected: Expectation
) -> BestGuess | None:
    """Return the candidate whose expected gain is the highest, or one about as good in half the time.

    Args:
        rows: all scenarios that were not stopped early, `REFERENCE` among them.
        candidates: those to choose from, the cheapest first.
        draws: of the comparison.
        expected: what the public sets say.

    Returns:
        None if the reference was not compared, or if fewer than two candidates are known from public sets.
    """
    gains = expected_gains([row.scenario for row in rows], draws, expected)
    seconds = {row.scenario: row.seconds for row in candidates if row.scenario in gains}
    if len(seconds) < 2:
        return None
    return BestGuess(worth_most({key: gains[key] for key in seconds}, seconds), gains, expected.results)


def expected_gains(scenarios: Sequence[str], draws: Draws, expected: Expectation) -> dict[str, float]:
    """Return the expected gain over `REFERENCE` of each scenario that is known; none if that was not compared.

    It is the mean of the gain on the rows and of the mean gain on the public sets, each weighted by the inverse of its
    variance: over the draws of rows and seeds, and over the sets (a normal prior).
    """
    if REFERENCE not in scenarios:
        return {}
    gains = {}
    for scenario in scenarios:
        if scenario in expected.gains:
            values = draws.difference(scenario, REFERENCE)
            known = expected.differences(scenario, REFERENCE)
            gains[scenario] = weigh(float(values[0]), float(values.var()), known)
    return gains


def weigh(measured: float, variance: float, known: Sequence[float]) -> float:
    """Return the mean of a measured difference and of several known ones, weighted by the inverse of their variances.

    Args:
        measured: the difference on the rows.
        variance: of what was measured.
        known: the same difference on public sets, at least two.
    """
    prior = statistics.variance(known)
    center = statistics.mean(known)
    return center + prior / max(prior + variance, 1e-12) * (measured - center)


def expectation_of(comparison: Comparison) -> Expectation | None:
    """Return what public sets say of as many rows, by the task that has most labels."""
    started = comparison.started

    def labelled_rows(task: Task) -> int:
        if comparison.folds > 1:
            return int(is_labelled(started.truth[task.name]).sum())
        return started.train_rows + started.validation_rows

    return expect_for(started.tasks, labelled_rows)


def worth_most(gains: Mapping[str, float], costs: Mapping[str, float]) -> str:
    """Return the scenario with the highest gain, or the cheapest one within `MIN_GAIN` of it at half its cost or less.

    Args:
        gains: of each scenario.
        costs: of each, in any unit.
    """
    best = max(gains, key=lambda key: gains[key])
    frugal = [
        key for key, gain in gains.items() if gain > gains[best] - MIN_GAIN and costs[key] <= SAVING * costs[best]
    ]
    return min(frugal, key=lambda key: costs[key], default=best)
