"""When each layer group opens: a row a group, the heads on top, and a bar from the epoch in which it opens."""

from collections.abc import Sequence

from mtst.runs.history import History
from mtst.text import escape_html, truncate
from mtst.training.events import GroupPlan
from mtst.ui.components.html import quiet

Row = tuple[str, int | None]  # a title and the epoch in which it opens
COLUMNS_DRAWN = 40  # epochs up to which each has a line of its own


def has_schedule(groups: Sequence[GroupPlan]) -> bool:
    """Tell whether a group opens later than others."""
    return any((group.opens_at or 1) > 1 for group in groups)


def timeline(groups: Sequence[GroupPlan], epochs: int, now: int | None = None, note: str = "") -> str:
    """Return the drawing of a schedule, `now` being the epoch that runs; nothing for groups that open at once."""
    if not has_schedule(groups) or not epochs:
        return ""
    items = "".join(_row(title, opens_at, epochs, now) for title, opens_at in _rows(groups))
    mark = "" if now is None else f'<i class="now" style="{_place(now, now, epochs)}"></i>'
    lines = "lined" if epochs <= COLUMNS_DRAWN else ""
    return (
        f'<div class="timeline {lines}" style="--epochs: {epochs}">'
        f'<ul aria-label="When each layer opens">{items}</ul><div class="nows" aria-hidden="true">{mark}</div>'
        f'<p class="axis" aria-hidden="true"><span>epoch 1</span><span>{epochs}</span></p></div>'
        f"{quiet(note) if note else ''}"
    )


def running(history: History) -> str:
    """Return the schedule of a run as far as it has come."""
    groups, epochs, done = history.groups, history.total_epochs, history.last_epoch
    now = min(epochs, done + 1)
    if history.is_over:
        return timeline(groups, epochs, note=f"{_open(groups, done)} after epoch {done}.")
    return timeline(groups, epochs, now, f"{_open(groups, now)} in epoch {now}.")


def _open(groups: Sequence[GroupPlan], epoch: int) -> str:
    count = sum(group.opens_at is not None and group.opens_at <= epoch for group in groups)
    return f"{count} of {len(groups)} layer groups open"


def _rows(groups: Sequence[GroupPlan]) -> list[Row]:
    """Return what to draw from the top down; heads that open together share a row."""
    heads = [group for group in groups if group.task is not None]
    layers = [(group.title, group.opens_at) for group in reversed(groups) if group.task is None]
    if len(heads) > 1 and len({group.opens_at for group in heads}) == 1:
        return [(f"{len(heads)} heads", heads[0].opens_at), *layers]
    return [*((group.title, group.opens_at) for group in heads), *layers]


def _row(title: str, opens_at: int | None, epochs: int, now: int | None) -> str:
    bar = said = ""
    if opens_at is not None and opens_at <= epochs:
        waits = "waits" if now is not None and opens_at > now else ""
        bar = f'<i class="{waits}" style="{_place(opens_at, epochs, epochs)}"></i>'
        said = f"from epoch {opens_at}"
    return (
        f'<li><span class="name" dir="auto">{escape_html(truncate(title, 40))}</span><span class="sr">, '
        f'{said or "frozen"}</span><span class="track" aria-hidden="true">{bar}</span></li>'
    )


def _place(first: int, last: int, epochs: int) -> str:
    return f"left: {100 * (first - 1) / epochs:.3f}%; width: {100 * (last - first + 1) / epochs:.3f}%"
