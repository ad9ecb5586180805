"""How long a comparison takes: before it begins by a few steps, from then on by the pace of its attempts."""

from mtst.comparison.race import Costs
from mtst.comparison.results import Comparison

EXPECTED = 0.85  # of the budget: scenarios end before their last epoch, or are stopped in their first attempt


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
    """Return the passes of the attempts that have not ended; of those that race, what the budget has room for."""
    costs = Costs(comparison)
    left = [one for one in comparison.attempts if one not in comparison.completed]
    alone = sum(costs.of(one.scenario) for one in left if one.task is not None)
    together = sum(costs.of(one.scenario) for one in left if one.task is None)
    if comparison.started.race:
        needed = costs.rounds_left * (costs.free + min(map(costs.of, costs.racing), default=0.0))
        together = min(together, max(needed, EXPECTED * costs.budget - costs.spent))
    return alone + together


def _pace(comparison: Comparison) -> float:
    """Return the seconds of a pass: as attempts have taken so far, at first as a few steps did."""
    costs = comparison.started.costs
    passes = {one.attempt: costs[one.attempt.scenario] * one.epoch / max(1, one.epochs) for one in comparison.epochs}
    known = sum(passes[ended.attempt] for ended in comparison.ended)
    seconds = sum(ended.seconds - ended.spared for ended in comparison.ended)
    if known < max(costs.values()):  # cheap attempts say little about dear ones
        return comparison.started.pace
    return seconds / known
