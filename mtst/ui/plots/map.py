"""The figure of the map: points on a plane, the names of their groups, and the selected ones."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mtst.analysis.projection import LinearProjection, Projection
from mtst.text import truncate
from mtst.ui.plots.similarity import NAME_LENGTH, plain
from mtst.ui.plots.style import PLOT, TASK_COLOURS

if TYPE_CHECKING:
    import plotly.graph_objects as go

MANY = 2_000  # more points are drawn by the graphics card, smaller and with shorter texts
HOVER_MANY = 90
COLOURS = (*TASK_COLOURS, "var(--c9)")
OTHER, NO_LABEL = "others", "no label"
UNNAMED = (OTHER, NO_LABEL)  # groups that are no group: they are grey, and have no name on the map
NO_COLOUR = "var(--high)"
NAME_ON_MAP = 30  # characters
NAME_FONT = {"size": 14, "color": "var(--ink)", "weight": 700}
SAMPLED = 300  # points of a group, among which the densest place is sought
ROW_HEIGHT = 0.045  # of a name, as a share of the height of the map


def merge_rare(groups: Sequence[str]) -> tuple[list[str], list[str]]:
    """Merge all but the most frequent groups into one, so that there is a colour for each.

    Returns:
        the group of each point, and the groups in order; the group without a label comes last.
    """
    counts = Counter(group for group in groups if group != NO_LABEL)
    named = [
        group for group, _ in counts.most_common(len(COLOURS) if len(counts) <= len(COLOURS) else len(COLOURS) - 1)
    ]
    order = [*sorted(named), *([OTHER] if len(counts) > len(named) else []), NO_LABEL]
    return [group if group in named or group == NO_LABEL else OTHER for group in groups], order


def scatter(
    plane: Projection, texts: Sequence[str], groups: Sequence[str], order: Sequence[str], *, names: bool = True
) -> "go.Figure":
    """Return points on a plane, coloured by group, with the name of each group where it is densest.

    Args:
        plane: the coordinates of n points.
        texts: what each point stands for, shown on hover.
        groups: the group of each point.
        order: the groups in the order of their colours, at most as many as there are colours besides `UNNAMED`.
        names: whether the names stand on the plane too, beside the legend.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    many = len(texts) > MANY
    trace = figure.add_scattergl if many else figure.add_scatter
    members: dict[str, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(group, []).append(index)
    coloured = [group for group in order if group not in UNNAMED]
    for group in (*(group for group in order if group in UNNAMED), *coloured):  # the grey ones lie below
        if not (indices := members.get(group)):
            continue
        colour = NO_COLOUR if group in UNNAMED else COLOURS[coloured.index(group) % len(COLOURS)]
        trace(
            x=np.round(plane.points[indices, 0], 4).tolist(),
            y=np.round(plane.points[indices, 1], 4).tolist(),
            text=[plain(truncate(texts[k], HOVER_MANY) if many else texts[k]) for k in indices],
            customdata=indices,
            mode="markers",
            name=plain(truncate(group, NAME_LENGTH), 99),
            legendrank=1_000 + order.index(group),
            marker={
                "color": colour,
                "size": 5 if many else 8,
                "opacity": 0.6 if many else 0.8,
                "line": {"width": 0 if many else 1, "color": "var(--card)"},
            },
            hovertemplate="%{text}<extra>%{fullData.name}</extra>",
        )
    if names and len(order) > 1:
        named = {group: plane.points[members[group]] for group in coloured if group in members}
        figure.add_trace(_names(named, plane.points))
    axis_x, axis_y = plane.axes
    axis: dict[str, Any] = {"showticklabels": False, "showgrid": isinstance(plane, LinearProjection)}
    narrow = {
        "showlegend": False,
        "xaxis": axis,
        "yaxis": axis | {"scaleanchor": "x"},
        "margin": dict.fromkeys("lrtb", 8),
    }
    return figure.update_layout(
        template=PLOT,
        hovermode="closest",
        uirevision=f"{axis_x} {plane.points.sum():.6f}",  # other colours or a marked point keep the zoom
        showlegend=len(order) > 1,
        legend={"itemsizing": "constant" if many else "trace"},
        margin={"t": 12},
        xaxis=axis | {"title": {"text": axis_x}},
        yaxis=axis | {"title": {"text": axis_y}, "scaleanchor": "x"},
        meta={"narrow": {"layout": narrow, "trace": {"textfont": NAME_FONT | {"size": 11}}}},
    )


def _names(points_of: dict[str, np.ndarray], points: np.ndarray) -> dict[str, Any]:
    """Return the trace of the names of groups; names that would cover each other are moved apart, up and down."""
    places = {group: _densest(own) for group, own in points_of.items()}
    low, high = points.min(axis=0), points.max(axis=0)
    width, height = np.maximum(high - low, 1e-9)
    placed: list[tuple[float, float, float]] = []
    for group, (x, y) in sorted(places.items(), key=lambda place: -place[1][1]):
        half = 0.006 * len(truncate(group, NAME_ON_MAP)) * width
        while any(abs(x - a) < half + b and abs(y - c) < ROW_HEIGHT * height for a, b, c in placed):
            y -= ROW_HEIGHT * height / 4
        placed.append((x, half, y))
        places[group] = (x, y)
    return {
        "type": "scatter",
        "mode": "text",
        "x": [round(float(x), 4) for x, _ in places.values()],
        "y": [round(float(y), 4) for _, y in places.values()],
        "text": [plain(truncate(group, NAME_ON_MAP), 99) for group in places],
        "textfont": NAME_FONT,
        "hoverinfo": "skip",
        "showlegend": False,
        "name": "names",
    }


def _densest(points: np.ndarray) -> tuple[float, float]:
    """Return the one of some points that has the others nearest to it: where a group is densest."""
    sample = points[:: max(1, len(points) // SAMPLED)]
    distances = np.linalg.norm(sample[:, None] - sample[None], axis=2)
    near = np.sort(distances, axis=1)[:, : max(2, len(sample) // 3)]
    x, y = sample[near.mean(axis=1).argmin()]
    return float(x), float(y)


def selection_trace(points: np.ndarray, text: str, centre: np.ndarray | None = None) -> dict[str, Any]:
    """Return the trace that rings points (n, 2).

    Args:
        points: what is ringed.
        text: what the centre stands for, shown on hover.
        centre: the point (2,) whose neighbours they are: a line leads from it to each of them.
    """
    ends: list[list[float]] = np.round(points, 4).tolist()
    path: list[Sequence[float | None]] = [*ends]
    sizes = [14] * len(path)
    if centre is not None:
        start: list[float] = np.round(centre, 4).tolist()
        path = [start]
        for end in ends:
            path += [start, end, (None, None)]  # a gap
        sizes = [20, *([20, 12, 0] * len(ends))]
    return {
        "type": "scatter",
        "mode": "markers" if centre is None else "lines+markers",
        "x": [x for x, _ in path],
        "y": [y for _, y in path],
        "text": plain(text),
        "name": "selected",
        "showlegend": False,
        "line": {"width": 1, "color": "var(--ink)"},
        "marker": {
            "symbol": "circle-open",
            "size": sizes,
            "color": "var(--ink)",
            "line": {"width": 2, "color": "var(--ink)"},
        },
        "hoverinfo": "skip" if centre is None else "text",
    }
