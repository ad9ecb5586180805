"""How far a training run has come over all of its work, and how long it will take from here by its pace so far."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from mtst.training.events import Started, StepEnded

if TYPE_CHECKING:
    from mtst.runs.history import History

WEIGHTS = {"Embed": 0.12, "Baselines": 0.08, "Train": 0.75, "Check": 0.05}  # of a run as a whole
HEADS_ONLY_COST = 0.1  # of a step in which no group of the encoder is open, as a share of one with a single open group


@dataclass(frozen=True)
class Phase:
    """A part of a run, and the share of it that is done, between 0 and 1."""

    name: str
    done: float
    current: bool


def phases(history: "History") -> tuple[Phase, ...]:
    """Return the parts of a run in order, the first unfinished one being the current; none before the start."""
    if not history.has_started:
        return ()
    measured = bool(history.epochs)
    read = history.embedded.rows / max(1, history.embedded.total) if history.embedded else 0.0
    done = {
        "Embed": 1.0 if history.baselines or measured else read,
        "Baselines": 1.0 if measured else 0.5 if history.baselines else 0.0,
        "Train": 1.0 if history.is_finished else min(1.0, history.last_step / max(1, history.total_steps)),
        "Check": 1.0 if history.is_finished else 0.0,
    }
    if not history.total_epochs:
        del done["Train"]
    current = next((name for name, share in done.items() if share < 1), None)
    return tuple(Phase(name, share, name == current) for name, share in done.items())


def total_share(parts: Sequence[Phase]) -> float:
    """Return the share of the whole run that is done, between 0 and 1."""
    whole = sum(WEIGHTS[part.name] for part in parts)
    return sum(WEIGHTS[part.name] * part.done for part in parts) / whole if parts else 0.0


def remaining_seconds(started: Started, steps: Sequence[StepEnded]) -> float | None:
    """Return the expected seconds to go; None while there are too few steps to tell.

    Where the encoder is still to open, the steps before it say nothing about those after it. Between two epochs the
    rows are validated, and embedded anew when a group has opened: that time is counted by the epoch, not by the step.
    """
    if len(steps) < 2:
        return None
    per_epoch = started.steps / max(1, started.epochs)
    opens_at = [group.opens_at for group in started.groups if group.task is None and group.opens_at is not None]

    def epoch_of(step: int) -> int:
        return min(started.epochs, 1 + int((step - 1) // per_epoch))

    def cost(epoch: int) -> float:
        """Estimate the cost of a step: it grows with the open groups of the encoder."""
        return HEADS_ONLY_COST + sum(opened <= epoch for opened in opens_at)

    last = steps[-1].step
    now = epoch_of(last)
    ahead = max(0.0, now * per_epoch - last) * cost(now)
    ahead += sum(per_epoch * cost(epoch) for epoch in range(now + 1, started.epochs + 1))
    encoder_opens = ahead > 0 and cost(started.epochs) >= 1
    seconds = units = 0.0
    pauses: list[float] = []
    for before, after in pairwise(steps):
        epoch, took = epoch_of(after.step), after.seconds - before.seconds
        if epoch_of(before.step) != epoch:
            pauses.append(took)
        elif cost(epoch) >= 1 or not encoder_opens:
            seconds += took
            units += (after.step - before.step) * cost(epoch)
    if not ahead:
        return 0.0
    if not units:  # an epoch has one step, or the encoder is still to open
        return None if encoder_opens or not pauses else sum(pauses) / len(pauses) * (started.epochs - now)
    pace = seconds / units
    pause = max(0.0, sum(pauses) / len(pauses) - pace * cost(now)) if pauses else 0.0
    return pace * ahead + pause * (started.epochs - now)
