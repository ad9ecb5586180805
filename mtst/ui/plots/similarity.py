"""Figures of similarities and of text lengths."""

import math
from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

from mtst.text import escape_html, isolate_bidi, truncate
from mtst.ui.plots.style import PLOT

if TYPE_CHECKING:
    import plotly.graph_objects as go

LENGTH_BARS = 40
LONGEST = 4  # times the tokens that the encoder reads; longer texts share the last bar
LINE_SHOWN = 0.25  # of the tokens that the encoder reads; with only shorter texts the line is outside of the plot
NAME_LENGTH = 34
SCALE = 2.2  # the end of a colour scale over the largest change, so that values can be read on every colour
SEQUENTIAL = tuple(f"var(--seq-{k})" for k in range(5))
LEAST_RANGE = 0.2  # of cosines, so that small differences do not look large
MANY, TALL = 30, 620  # rows, and the pixels of the figure that has more of them
LEGIBLE = 20  # up to so many sentences the cells of a heat map have room for their values


def plain(text: str, width: int = 60) -> str:
    """Return text that Plotly shows literally: markup escaped, long lines wrapped, very long text truncated."""
    lines = wrap(truncate(text, 400), width, break_long_words=True)
    shown = "<br>".join(isolate_bidi(escape_html(line)) for line in lines) or " "
    return f"{shown} " if shown.startswith("var(") else shown  # the page would take it for a colour


def colour_limits(*matrices: np.ndarray) -> tuple[float, float]:
    """Return the ends of a colour scale that several matrices of cosines (n, n) share.

    The cosine of a sentence with itself does not count: one does not look for it, and most others are far below.
    """
    others = np.stack(matrices)[:, ~np.eye(len(matrices[0]), dtype=bool)]
    low, high = float(others.min(initial=0.0)), float(others.max(initial=0.0))
    return low, max(high, low + LEAST_RANGE)


def similarity_map(
    sentences: Sequence[str],
    cosines: np.ndarray,
    limits: tuple[float, float] | None = None,
    order: Sequence[int] | None = None,
) -> "go.Figure":
    """Return a heat map of cosines (n, n); values are written in the cells while they are legible.

    Args:
        sentences: the n sentences.
        cosines: their cosines.
        limits: the ends of the colour scale, if other figures share it.
        order: the indices of the rows from the top down; as they come if left out.
    """
    return _pair_map(sentences, cosines, limits or colour_limits(cosines), SEQUENTIAL, "cosine %{z:.3f}", order=order)


def change_map(sentences: Sequence[str], before: np.ndarray, after: np.ndarray) -> "go.Figure":
    """Return a heat map of the difference between the cosines (n, n) of two encoders."""
    changes = after - before
    limit = SCALE * max(0.01, float(np.abs(changes).max()))
    colours = ("var(--bad)", "var(--low)", "var(--good)")
    return _pair_map(sentences, changes, (-limit, limit), colours, "cosine changed by %{z:+.3f}", sign="+")


def _pair_map(
    sentences: Sequence[str],
    values: np.ndarray,
    limits: tuple[float, float],
    colours: Sequence[str],
    hover: str,
    sign: str = "",
    order: Sequence[int] | None = None,
) -> "go.Figure":
    """Return a heat map of values (n, n), one for each pair of sentences.

    `hover` is the template of the value on hover, `sign` its format in the cells, `order` that of the rows.
    """
    import plotly.graph_objects as go

    count = len(sentences)
    rows = range(count) if order is None else order
    values = values[np.ix_(rows, rows)]
    numbers = [str(k + 1) for k in rows]
    names = [f"{k + 1}. {plain(truncate(sentences[k], NAME_LENGTH), 99)}" for k in rows]
    figure = go.Figure(
        go.Heatmap(
            z=np.round(values, 3).tolist(),
            x=numbers,
            y=numbers,
            zmin=limits[0],
            zmax=limits[1],
            colorscale=[[k / (len(colours) - 1), colour] for k, colour in enumerate(colours)],
            xgap=2 if count <= MANY else 0,
            ygap=2 if count <= MANY else 0,
            texttemplate=f"%{{z:{sign}.2f}}" if count <= LEGIBLE else None,
            textfont={"size": 12 if count <= 14 else 10},  # black or white, whichever the colour of the cell needs
            hovertemplate=f"%{{text}}<br>{hover}<extra></extra>",
            colorbar={"thickness": 10, "outlinewidth": 0, "len": 0.9},
        )
    )
    every = max(1, math.ceil(count / MANY))
    ticks = numbers[::every]
    yaxis = {"autorange": "reversed", "showgrid": False, "type": "category", "tickvals": ticks}
    return figure.update_layout(
        template=PLOT,
        hovermode="closest",
        margin={"t": 12, "l": 20, "r": 10, "b": 40},
        xaxis={"showgrid": False, "tickvals": ticks, "title": {"text": "sentence number"}, "type": "category"},
        yaxis={**yaxis, "ticktext": names[::every] if count <= MANY else ticks},
        meta={
            "pairs": [f"{k + 1}. {plain(sentences[k])}" for k in rows],
            **({"height": TALL} if count > MANY else {}),
            # On a phone the names would leave no room for the cells: numbers stand for them.
            "narrow": {
                "trace": {"showscale": False, "textfont": {"size": 10 if count <= 9 else 1}},
                "layout": {"yaxis": {**yaxis, "ticktext": ticks}},
            },
        },
    )


def text_lengths(tokens: Sequence[int], max_tokens: int) -> "go.Figure":
    """Return a histogram of text lengths in tokens, with a line at `max_tokens`, above which texts are truncated.

    No bar holds both kinds. Where all texts are much shorter the line is outside of the plot. The longest texts share
    the last bar.
    """
    import plotly.graph_objects as go

    lengths = np.minimum(tokens, LONGEST * max_tokens)
    longest = int(lengths.max(initial=1))
    width = max(1, math.ceil(longest / LENGTH_BARS))
    # Bar 0 ends at the line, bar 1 begins there.
    bars, counts = np.unique(-((max_tokens - lengths) // width), return_counts=True)
    ends = max_tokens + bars * width
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
    inside, room = longest > max_tokens * LINE_SHOWN, longest > 1.2 * max_tokens
    figure.add_annotation(
        x=max_tokens if inside else 1,
        xref="x" if inside else "paper",
        y=1,
        yref="paper",
        yanchor="top",
        showarrow=False,
        xanchor="left" if inside and room else "right",
        xshift=4 if room else -4,
        text=f"cut at {max_tokens:,}" + ("" if inside else " →"),
        font={"size": 12, "color": "var(--bad)"},
    )
    if inside:
        figure.add_vline(max_tokens + 0.5, line={"color": "var(--bad)", "width": 1.5, "dash": "dot"})
    return figure.update_layout(
        template=PLOT,
        hovermode="closest",
        bargap=0.08,
        xaxis={
            "title": {"text": "length in tokens"},
            "range": [0, max(longest, max_tokens + 1 if inside else 0) + width],
        },
        yaxis={"title": {"text": "texts"}, "rangemode": "tozero"},
    )
