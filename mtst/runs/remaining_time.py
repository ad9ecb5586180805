"""How long a run will take from here, by the pace of its steps so far."""

from collections.abc import Sequence

from mtst.training.events import Started, StepEnded

HEADS_ONLY_COST = 0.1  # of a step in which no group of the encoder is open, as a share of one with a single open group


def remaining_seconds(started: Started, steps: Sequence[StepEnded]) -> float | None:
    """Return the expected seconds to go; None while there are fewer than two steps."""
    if len(steps) < 2:
        return None
    first, last = steps[0], steps[-1]
    pace = (last.seconds - first.seconds) / (_cost(started, last.step) - _cost(started, first.step))
    return pace * (_cost(started, started.steps) - _cost(started, last.step))


def _cost(started: Started, step: int) -> float:
    """Estimate the cost of the first `step` steps: a step costs more the more groups of the encoder are open."""
    per_epoch = started.steps / max(1, started.epochs)
    opens_at = [group.opens_at for group in started.groups if group.task is None and group.opens_at is not None]
    return sum(
        min(max(step - (epoch - 1) * per_epoch, 0.0), per_epoch)
        * (HEADS_ONLY_COST + sum(opened <= epoch for opened in opens_at))
        for epoch in range(1, started.epochs + 1)
    )
