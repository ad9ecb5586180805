"""The schedule of a run as lanes behind its curves: a row for each layer group, time from left to right.

The rows are those of the layer map, with the same heights, so that both can stand side by side.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mtst.text import escape_html, truncate
from mtst.training.events import GroupPlan

GAP = 4  # pixels between two rows
BELOW = 46  # pixels for the axis
LEGEND = 56  # pixels for the legend
STACKED_ROW = 26  # height of a row where the map stands above the figure, in pixels
MAX_TICKS = 10
STACKED_TICKS = 5
STEPS = tuple(digit * 10**power for power in range(6) for digit in (1, 2, 5))  # between two ticks, in epochs
HEIGHTS = ((9, 40), (12, 36), (18, 28), (math.inf, 22))  # of a row, in pixels, by the number of rows at most


@dataclass(frozen=True)
class Schedule:
    """What is open when: the groups bottom up, so many epochs, and how many of them are done.

    `done` counts parts of an epoch; it is None before a run. `kept` is the epoch that is kept, of a finished run.
    """

    groups: Sequence[GroupPlan]
    epochs: int
    done: float | None = None
    kept: int | None = None

    @property
    def rows(self) -> list[GroupPlan]:
        return top_down(self.groups)

    @property
    def height(self) -> int:
        """The height of all rows, in pixels."""
        return len(self.groups) * (row_height(len(self.groups)) + GAP) - GAP


@dataclass
class Lanes:
    """The shapes of a schedule for Plotly, and the indices of those that are hatched."""

    shapes: list[dict[str, Any]] = field(default_factory=list)
    hatched: list[int] = field(default_factory=list)


def top_down(groups: Sequence[GroupPlan]) -> list[GroupPlan]:
    """Return the groups in the order of the map: heads first, then the layers from the top down."""
    heads = [group for group in groups if group.task is not None]
    return heads + [group for group in reversed(groups) if group.task is None]


def row_height(rows: int) -> int:
    """Return the height of each of so many rows, in pixels."""
    return next(height for limit, height in HEIGHTS if rows <= limit)


def lanes(schedule: Schedule) -> Lanes:
    """Return the lanes: cold while a group is frozen, warm from the epoch in which it opens."""
    drawn = Lanes()
    rows, epochs = schedule.rows, max(1, schedule.epochs)
    height, whole = row_height(len(rows)), max(1, schedule.height)
    certain = epochs if schedule.done is None else min(schedule.kept or schedule.done, epochs)
    for number, group in enumerate(rows):
        top = number * (height + GAP)
        y = {"y0": 1 - (top + height) / whole, "y1": 1 - top / whole}
        opens = group.opens_at - 1 if group.opens_at is not None and group.opens_at <= epochs else epochs
        drawn.hatched.append(len(drawn.shapes))
        drawn.shapes.append(_lane(0, opens, "var(--ice-0)", y))
        drawn.shapes.append(_lane(opens, max(opens, certain), "var(--warm-1)", y))
        drawn.shapes.append(_lane(max(opens, certain), epochs, "var(--warm-0)", y))
        if 0 < opens < epochs:
            drawn.shapes.append(_lane(opens, opens, "var(--warm)", y, line=2))
    if schedule.done is not None and schedule.kept is None:
        drawn.shapes.append(_lane(schedule.done, schedule.done, "var(--ink)", {"y0": 0, "y1": 1}, line=1.5))
    return drawn


def _lane(x0: float, x1: float, colour: str, y: dict[str, float], line: float = 0) -> dict[str, Any]:
    return {
        "type": "line" if line else "rect", "x0": x0, "x1": x1, **y, "yref": "paper", "layer": "below",
        "fillcolor": colour, "line": {"color": colour, "width": line},
    }  # fmt: skip


def axis(schedule: Schedule, max_ticks: int = MAX_TICKS) -> dict[str, Any]:
    """Return the axis of epochs, with the share of the parameters that each of them trains."""
    epochs = max(1, schedule.epochs)
    step = next(each for each in STEPS if epochs <= max_ticks * each)
    shown = list(range(step, epochs + 1, step))
    texts, last = [], ""
    for epoch in shown:
        share = _trained_share(schedule.groups, epoch)
        text = "" if share == last else share
        first = epoch == shown[0]
        texts.append(f"{'epoch ' if first else ''}{epoch}<br>{'trains ' if first else ''}{text}")
        last = share
    return {
        "range": [-0.01 * epochs, 1.01 * epochs], "tickvals": [epoch - 0.5 for epoch in shown], "ticktext": texts,
        "showgrid": False, "tickfont": {"size": 12}, "tickangle": 0,
    }  # fmt: skip


def _trained_share(groups: Sequence[GroupPlan], epoch: int) -> str:
    whole = sum(group.parameters for group in groups)
    trained = sum(group.trained for group in groups if group.opens_at is not None and group.opens_at <= epoch)
    share = 100 * trained / max(1, whole)
    if not trained:
        return "nothing"
    return f"{share:.0f}%" if share >= 1 else f"{share:.1g}%"


def names(schedule: Schedule) -> list[dict[str, Any]]:
    """Return the name of each lane as an annotation, for where the map does not stand beside the figure."""
    rows, height, whole = schedule.rows, row_height(len(schedule.groups)), max(1, schedule.height)
    return [
        {
            "x": 0,
            "xref": "paper",
            "xanchor": "right",
            "xshift": -4,
            "y": 1 - (number * (height + GAP) + height / 2) / whole,
            "yref": "paper",
            "yanchor": "middle",
            "showarrow": False,
            "font": {"size": 11},
            "text": escape_html(truncate(_short(group), 9)),
        }
        for number, group in enumerate(rows)
    ]


def _short(group: GroupPlan) -> str:
    if group.task is not None:
        return group.task
    return group.title.replace("Block ", "bl. ").replace("Embeddings", "embed.")


def frame(schedule: Schedule, annotations: Sequence[dict[str, Any]] = (), legend: int = LEGEND) -> dict[str, Any]:
    """Return the parts of the layout that put a figure beside the layer map, or below it on a narrow page."""
    drawn, count = lanes(schedule), len(schedule.groups)
    stacked = count * (STACKED_ROW + GAP) - GAP + BELOW + legend
    return {
        "shapes": drawn.shapes,
        "annotations": list(annotations),
        "xaxis": axis(schedule),
        "margin": {"t": 0, "b": BELOW + legend, "l": 8, "r": 46, "autoexpand": False},
        "meta": {
            "height": schedule.height + BELOW + legend,
            "hatched": drawn.hatched,
            "stacked": {
                "height": stacked,
                "layout": {
                    "margin": {"t": 0, "b": BELOW + legend, "l": 58, "r": 40, "autoexpand": False},
                    "annotations": [*annotations, *names(schedule)],
                    "xaxis": axis(schedule, STACKED_TICKS),
                },
            },
        },
    }


def plan_figure(schedule: Schedule) -> Any:
    """Return the figure of a schedule before a run."""
    import plotly.graph_objects as go

    from mtst.ui.plots.style import PLOT

    figure = go.Figure(go.Scatter(x=[None], y=[None], hoverinfo="skip", showlegend=False))
    layout = frame(schedule, legend=0)
    layout["margin"]["r"] = layout["meta"]["stacked"]["layout"]["margin"]["r"] = 8
    return figure.update_layout(
        template=PLOT, uirevision="plan", **layout, yaxis={"visible": False, "fixedrange": True, "range": [0, 1]}
    )
