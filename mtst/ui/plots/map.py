"""The figure of the map: points on a plane, and the selected one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mtst.analysis.projection import Projection
from mtst.text import truncate
from mtst.ui.plots.similarity import NAME_LENGTH, plain
from mtst.ui.plots.style import PLOT, SYMBOLS, TASK_COLOURS

if TYPE_CHECKING:
    import plotly.graph_objects as go

MANY = 2_000  # more points are drawn by the graphics card, smaller and with shorter texts
HOVER_MANY = 90
COLOURS = (*TASK_COLOURS, "var(--c9)")


def scatter(plane: Projection, texts: Sequence[str], groups: Sequence[str], order: Sequence[str]) -> "go.Figure":
    """Return points on a plane, coloured and shaped by group.

    Args:
        plane: the coordinates of n points.
        texts: what each point stands for, shown on hover.
        groups: the group of each point.
        order: the groups in the order of their colours.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    many = len(texts) > MANY
    trace = figure.add_scattergl if many else figure.add_scatter
    members: dict[str, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(group, []).append(index)
    for number, group in enumerate(order):
        if not (indices := members.get(group)):
            continue
        colour = COLOURS[number % len(COLOURS)]
        trace(
            x=np.round(plane.points[indices, 0], 4).tolist(),
            y=np.round(plane.points[indices, 1], 4).tolist(),
            text=[plain(truncate(texts[k], HOVER_MANY) if many else texts[k]) for k in indices],
            customdata=indices,
            mode="markers",
            name=plain(truncate(group, NAME_LENGTH), 99),
            marker={
                "color": colour,
                "symbol": SYMBOLS[number % len(SYMBOLS)] + ("-open" if number >= len(SYMBOLS) else ""),
                "size": 5 if many else 9,
                "opacity": 0.6 if many else 0.85,
                "line": {"width": 0 if many else 1, "color": colour},
            },
            hovertemplate="%{text}<extra>%{fullData.name}</extra>",
        )
    axis_x, axis_y = plane.axes
    return figure.update_layout(
        template=PLOT,
        hovermode="closest",
        uirevision=f"{axis_x} {plane.points.sum():.6f}",  # other colours or a marked point keep the zoom
        showlegend=len(order) > 1,
        legend={"itemsizing": "constant" if many else "trace"},
        margin={"t": 12},
        xaxis={"showticklabels": False, "title": {"text": axis_x}},
        yaxis={"showticklabels": False, "title": {"text": axis_y}, "scaleanchor": "x"},
    )


def marker_trace(point: np.ndarray, text: str) -> dict[str, Any]:
    """Return the trace that marks one point."""
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [round(float(point[0]), 4)],
        "y": [round(float(point[1]), 4)],
        "text": [plain(text)],
        "name": "chosen",
        "showlegend": False,
        "marker": {
            "symbol": "circle-open",
            "size": 20,
            "color": "var(--ink)",
            "line": {"width": 3, "color": "var(--ink)"},
        },
        "hovertemplate": "%{text}<extra>chosen</extra>",
    }
