"""The figure of the demo: the score of each run against the time that its training took."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mtst.evaluation.scores import mean_macro_f1
from mtst.runs.history import History
from mtst.ui.plots.style import PLOT

if TYPE_CHECKING:
    import plotly.graph_objects as go

COLOURS = ("var(--frozen)", "var(--open)")
SYMBOLS = ("square", "circle")
LEAST_SECONDS = 10.0  # of the axis, so that it does not jump at the start
HEADROOM = 1.2
MOST_MARKERS = 20


def overlay(histories: Sequence[History], names: Sequence[str]) -> "go.Figure":
    """Return the mean macro-F1 of each run over the seconds since it began; dashed where a run is over."""
    import plotly.graph_objects as go

    figure = go.Figure()
    ends = [mean_macro_f1(history.best.validation) if history.is_finished else None for history in histories]
    best = max(end or 0.0 for end in ends)
    end = max([LEAST_SECONDS, *(history.elapsed * HEADROOM for history in histories)])
    for history, level, name, colour, symbol in zip(histories, ends, names, COLOURS, SYMBOLS, strict=True):
        seconds = [epoch.seconds for epoch in history.epochs]
        scores = [mean_macro_f1(epoch.validation) for epoch in history.epochs]
        figure.add_scatter(
            x=[None, *(round(second, 2) for second in seconds)],
            y=[None, *(round(score, 4) for score in scores)],
            name=name, mode="lines+markers" if len(scores) < MOST_MARKERS else "lines",
            line={"color": colour, "width": 2.6},
            marker={"symbol": symbol, "size": 7},
            hovertemplate="%{x:.0f} s: %{y:.1%}",
        )  # fmt: skip
        figure.add_scatter(
            x=[None] if level is None else [None, round(seconds[-1], 2), round(end, 1)],
            y=[None] if level is None else [None, round(level, 4), round(level, 4)],
            mode="lines+text", line={"color": colour, "width": 1.4, "dash": "dot"}, showlegend=False, hoverinfo="skip",
            text=[] if level is None else ["", "", f"{name} {level:.1%}"],
            textposition="top left" if level == best else "bottom left",
            textfont={"color": colour, "size": 13},
        )  # fmt: skip
    return figure.update_layout(
        template=PLOT,
        uirevision="demo",
        hovermode="closest",
        margin={"t": 16, "r": 20},
        xaxis={"title": {"text": "seconds of training"}, "range": [0, round(end, 1)]},
        yaxis={"title": {"text": "macro-F1 on held-out rows"}, "tickformat": ".0%", "rangemode": "normal"},
    )
