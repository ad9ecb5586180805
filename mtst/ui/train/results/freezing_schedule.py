"""When each layer group opens: a row for each group, heads on top, with a bar from the epoch in which it opens."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from mtst.runs.history import History
from mtst.training.events import GroupPlan
from mtst.ui.components.templates import render

MAX_LINED_EPOCHS = 40  # each epoch has a line of its own up to this number


@dataclass(frozen=True)
class Bar:
    """A row of the drawing. A group that stays frozen has no `opens_at`; one that `waits` is not open yet."""

    title: str
    opens_at: int | None
    waits: bool


def has_schedule(groups: Sequence[GroupPlan]) -> bool:
    """Tell whether a group opens later than others."""
    return any((group.opens_at or 1) > 1 for group in groups)


def timeline(groups: Sequence[GroupPlan], epochs: int, now: int | None = None, note: str = "") -> Markup:
    """Return the drawing of a schedule, `now` being the current epoch; nothing if all groups open at once."""
    if not has_schedule(groups) or not epochs:
        return Markup()
    bars = [
        Bar(
            title,
            opens_at if opens_at is not None and opens_at <= epochs else None,
            now is not None and opens_at is not None and opens_at > now,
        )
        for title, opens_at in _titles(groups)
    ]
    lined = epochs <= MAX_LINED_EPOCHS
    return render("train/timeline", bars=bars, epochs=epochs, now=now, note=note, lined=lined)


def running(history: History) -> Markup:
    """Return the schedule of a run as far as it has come."""
    groups, epochs, done = history.groups, history.total_epochs, history.last_epoch
    now = min(epochs, done + 1)
    if history.is_over:
        return timeline(groups, epochs, note=f"{_count_open(groups, done)} after epoch {done}.")
    return timeline(groups, epochs, now, f"{_count_open(groups, now)} in epoch {now}.")


def _count_open(groups: Sequence[GroupPlan], epoch: int) -> str:
    count = sum(group.opens_at is not None and group.opens_at <= epoch for group in groups)
    return f"{count} of {len(groups)} layer groups open"


def _titles(groups: Sequence[GroupPlan]) -> list[tuple[str, int | None]]:
    """Return the title and the opening epoch of each row, from the top down; heads that open together share a row."""
    heads = [group for group in groups if group.task is not None]
    layers = [(group.title, group.opens_at) for group in reversed(groups) if group.task is None]
    if len(heads) > 1 and len({group.opens_at for group in heads}) == 1:
        return [(f"{len(heads)} heads", heads[0].opens_at), *layers]
    return [*((group.title, group.opens_at) for group in heads), *layers]
