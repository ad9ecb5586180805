"""The figure of the map: points on a plane, and the one that was chosen."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mtst.analysis.projection import Projection
from mtst.text import truncate
from mtst.ui.plots.similarity import NAME_LENGTH, plain
from mtst.ui.plots.style import PLOT, SYMBOLS, TASK_COLOURS

if TYPE_CHECKING:
    import plotly.graph_objects as go

MANY = 2_000  # points from which they are drawn by the graphics card, smaller and with shorter texts
HOVER_MANY = 90
COLOURS = (*TASK_COLOURS, "var(--c9)")


def scatter(plane: Projection, texts: Sequence[str], groups: Sequence[str], order: Sequence[str]) -> "go.Figure":
    """Points on a plane, coloured and shaped by group; hover shows the text, a point knows its number."""
    import plotly.graph_objects as go

    figure = go.Figure()
    many = len(texts) > MANY
    trace = figure.add_scattergl if many else figure.add_scatter
    wheres: dict[str, list[int]] = {}
    for place, group in enumerate(groups):
        wheres.setdefault(group, []).append(place)
    for number, group in enumerate(order):
        if not (places := wheres.get(group)):
            continue
        colour = COLOURS[number % len(COLOURS)]
        trace(
            x=np.round(plane.points[places, 0], 4).tolist(),
            y=np.round(plane.points[places, 1], 4).tolist(),
            text=[plain(truncate(texts[k], HOVER_MANY) if many else texts[k]) for k in places],
            customdata=places,
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
        uirevision=f"{axis_x} {plane.points.sum():.6f}",  # a colour more or a point marked leaves the view as it is
        showlegend=len(order) > 1,
        legend={"itemsizing": "constant" if many else "trace"},
        margin={"t": 12},
        xaxis={"showticklabels": False, "title": {"text": axis_x}},
        yaxis={"showticklabels": False, "title": {"text": axis_y}, "scaleanchor": "x"},
    )


def mark(place: Sequence[float], text: str) -> dict:
    """Return the trace of one point that stands out."""
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [round(float(place[0]), 4)],
        "y": [round(float(place[1]), 4)],
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
