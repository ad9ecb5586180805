"""Data -> plotly figure, one function a figure; nothing here knows the page."""

import math
from collections.abc import Sequence
from textwrap import wrap

import numpy as np
import plotly.graph_objects as go

from mtst.projection import Plane
from mtst.ui.literal import literal, short
from mtst.ui.look import PLOT, SYMBOLS, TASK_COLOURS
from mtst.writing import isolated

LENGTH_BARS = 40
LONGEST = 4  # times what the encoder reads: longer texts share the last bar
LINE_SHOWN = 0.25  # of what the encoder reads, the length from which the line is within the plot
NAME_LENGTH = 34


def plain(text: str, width: int = 60) -> str:
    """Return text as plotly shows it literally: its own markup escaped, long lines wrapped, very long text cut."""
    lines = wrap(short(text, 400), width, break_long_words=True)
    shown = "<br>".join(isolated(literal(line)) for line in lines) or " "
    return f"{shown} " if shown.startswith("var(") else shown  # which alone would stand for a colour


def similarity_map(sentences: Sequence[str], cosines: np.ndarray) -> go.Figure:
    """A heat map of cosines (n, n); values are written in the cells while they are legible."""
    count = len(sentences)
    numbers = [str(k + 1) for k in range(count)]
    names = [f"{k + 1}. {plain(short(text, NAME_LENGTH), 99)}" for k, text in enumerate(sentences)]
    hover = [[f"{plain(a)}<br>―<br>{plain(b)}" for b in sentences] for a in sentences]
    low = min(0.0, float(cosines.min()))
    figure = go.Figure(
        go.Heatmap(
            z=np.round(cosines, 3).tolist(),
            x=numbers,
            y=numbers,
            text=hover,
            zmin=low,
            zmax=1,
            colorscale=[[0, "var(--low)"], [1, "var(--high)"]],
            xgap=2 if count <= 30 else 0,
            ygap=2 if count <= 30 else 0,
            texttemplate="%{z:.2f}" if count <= 14 else None,
            textfont={"size": 12, "color": "var(--ink)"},
            hovertemplate="%{text}<br>cosine %{z:.3f}<extra></extra>",
            colorbar={"thickness": 10, "outlinewidth": 0, "len": 0.9},
        )
    )
    every = max(1, math.ceil(count / 30))
    ticks = numbers[::every]
    yaxis = {"autorange": "reversed", "showgrid": False, "type": "category", "tickvals": ticks}
    return figure.update_layout(
        template=PLOT,
        hovermode="closest",
        margin={"t": 12, "l": 20, "r": 10, "b": 40},
        xaxis={"showgrid": False, "tickvals": ticks, "title": {"text": "sentence number"}, "type": "category"},
        yaxis={**yaxis, "ticktext": names[::every] if count <= 30 else ticks},
        # On a phone the names would leave no room for the cells: numbers stand for them.
        meta={
            "narrow": {
                "trace": {"showscale": False, "textfont": {"size": 10 if count <= 9 else 1, "color": "var(--ink)"}},
                "layout": {"yaxis": {**yaxis, "ticktext": ticks}},
            }
        },
    )


def scatter(plane: Plane, texts: Sequence[str], groups: Sequence[str], order: Sequence[str]) -> go.Figure:
    """Points on a plane, coloured and shaped by group; hover shows the text."""
    figure = go.Figure()
    for number, group in enumerate(order):
        places = [k for k, name in enumerate(groups) if name == group]
        if not places:
            continue
        colour = TASK_COLOURS[number] if number < len(TASK_COLOURS) else "var(--c9)"
        figure.add_scatter(
            x=np.round(plane.points[places, 0], 4).tolist(),
            y=np.round(plane.points[places, 1], 4).tolist(),
            text=[plain(texts[k]) for k in places],
            mode="markers",
            name=plain(short(group, NAME_LENGTH), 99),
            marker={
                "color": colour,
                "symbol": SYMBOLS[number % len(SYMBOLS)] + ("-open" if number >= len(SYMBOLS) else ""),
                "size": 9,
                "opacity": 0.85,
                "line": {"width": 1, "color": colour},
            },
            hovertemplate="%{text}<extra>%{fullData.name}</extra>",
        )
    axis_x, axis_y = plane.axes
    return figure.update_layout(
        template=PLOT,
        hovermode="closest",
        showlegend=len(order) > 1,
        margin={"t": 12},
        xaxis={"showticklabels": False, "title": {"text": axis_x}},
        yaxis={"showticklabels": False, "title": {"text": axis_y}, "scaleanchor": "x"},
    )


def text_lengths(tokens: Sequence[int], most: int) -> go.Figure:
    """A histogram of the lengths of texts in tokens, with a line at `most`, after which they are cut.

    No bar holds both kinds. The line is beyond the edge where all texts are much shorter, and the longest texts share
    the last bar.
    """
    lengths = np.minimum(tokens, LONGEST * most)
    longest = int(lengths.max(initial=1))
    width = max(1, math.ceil(longest / LENGTH_BARS))
    bars, counts = np.unique(-((most - lengths) // width), return_counts=True)  # 0 ends at the line, 1 begins there
    ends = most + bars * width
    figure = go.Figure(
        go.Bar(
            x=(ends + 0.5 - width / 2).tolist(),
            y=counts.tolist(),
            width=width,
            marker={"color": ["var(--bad)" if bar > 0 else "var(--high)" for bar in bars], "line": {"width": 0}},
            customdata=[f"{max(1, end - width + 1)} to {end}" if width > 1 else str(end) for end in ends.tolist()],
            hovertemplate="%{customdata} tokens: %{y:,} texts<extra></extra>",
        )
    )
    inside = longest > most * LINE_SHOWN
    figure.add_annotation(
        x=most if inside else 1, xref="x" if inside else "paper", y=1, yref="paper", yanchor="top", showarrow=False,
        xanchor="left" if inside and longest > 1.2 * most else "right", xshift=4 if longest > 1.2 * most else -4,
        text=f"cut at {most:,}" + ("" if inside else " →"), font={"size": 12, "color": "var(--bad)"},
    )  # fmt: skip
    if inside:
        figure.add_vline(most + 0.5, line={"color": "var(--bad)", "width": 1.5, "dash": "dot"})
    return figure.update_layout(
        template=PLOT,
        hovermode="closest",
        bargap=0.08,
        xaxis={"title": {"text": "length in tokens"}, "range": [0, max(longest, most + 1 if inside else 0) + width]},
        yaxis={"title": {"text": "texts"}, "rangemode": "tozero"},
    )
