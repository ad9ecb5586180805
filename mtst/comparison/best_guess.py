"""Which scenario is expected to be the best: by what the rows measured and by public sets, each by its certainty."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mtst.comparison.difference import MIN_GAIN, Draws
from mtst.comparison.known_results import REFERENCE, Expectation
from mtst.comparison.results import ScenarioResult

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

    The expected gain of a scenario is the mean of its gain on the rows and of its mean gain on the public sets, each
    weighted by the inverse of its variance: over the draws of rows and seeds, and over the sets (a normal prior).

    Args:
        rows: all scenarios that were not stopped early, `REFERENCE` among them.
        candidates: those to choose from, the cheapest first.
        draws: of the comparison.
        expected: what the public sets say.

    Returns:
        None if the reference was not compared, or if fewer than two candidates are known from public sets.
    """
    if not any(row.scenario == REFERENCE for row in rows):
        return None
    gains = {row.scenario: _expected(row.scenario, draws, expected) for row in rows if row.scenario in expected.gains}
    seconds = {row.scenario: row.seconds for row in candidates if row.scenario in gains}
    if len(seconds) < 2:
        return None
    return BestGuess(worth_most({key: gains[key] for key in seconds}, seconds), gains, expected.results)


def _expected(scenario: str, draws: Draws, expected: Expectation) -> float:
    values = draws.difference(scenario, REFERENCE)
    known, spread = expected.gains[scenario], expected.spreads[scenario]
    share = spread**2 / max(spread**2 + float(values.var()), 1e-12)
    return known + share * (float(values[0]) - known)


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
