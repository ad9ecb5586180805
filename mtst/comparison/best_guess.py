"""Which scenario to take where the rows cannot tell: what they measured, and the public sets, each by its certainty."""

from collections.abc import Sequence
from dataclasses import dataclass

from mtst.comparison.difference import Draws, cheapest_of_best
from mtst.comparison.known_results import REFERENCE, Expectation
from mtst.comparison.results import ScenarioResult


@dataclass(frozen=True)
class BestGuess:
    """A scenario, and its expected gain over `REFERENCE` in macro-F1, by the rows and by so many public results."""

    scenario: str
    gain: float
    results: int


def guess_best(
    rows: Sequence[ScenarioResult], candidates: Sequence[ScenarioResult], draws: Draws, expected: Expectation
) -> BestGuess | None:
    """Return the cheapest candidate whose expected gain is about the highest; see `cheapest_of_best`.

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
    gains = {}
    for row in candidates:
        if row.scenario in expected.gains:
            values = draws.difference(row.scenario, REFERENCE)
            known, spread = expected.gains[row.scenario], expected.spreads[row.scenario]
            share = spread**2 / max(spread**2 + float(values.var()), 1e-12)
            gains[row.scenario] = known + share * (float(values[0]) - known)
    if len(gains) < 2:
        return None
    scenario = cheapest_of_best(gains)
    return BestGuess(scenario, gains[scenario], expected.results)
