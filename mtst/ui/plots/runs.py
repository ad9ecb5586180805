"""The validation curves of several runs in one figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mtst.text import truncate
from mtst.ui.plots.similarity import plain
from mtst.ui.plots.style import PLOT, SYMBOLS, task_colour

if TYPE_CHECKING:
    import plotly.graph_objects as go

DASHES = ("solid", "dash", "dot", "dashdot")
MAX_MARKED_EPOCHS = 40


@dataclass(frozen=True)
class RunCurve:
    """The name of a run, and its mean macro-F1 on its validation rows after each of some epochs."""

    name: str
    epochs: Sequence[int]
    scores: Sequence[float]


def overlay(runs: Sequence[RunCurve]) -> "go.Figure":
    """Return the curves, each with a hue, a symbol and a dash of its own."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for number, run in enumerate(runs):
        marked = len(run.epochs) <= MAX_MARKED_EPOCHS
        figure.add_scatter(
            x=list(run.epochs),
            y=[round(score, 4) for score in run.scores],
            name=plain(truncate(run.name, 40), 99),
            mode="lines+markers" if marked else "lines",
            line={"color": task_colour(number), "width": 2, "dash": DASHES[number % len(DASHES)]},
            marker={"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 7},
            hovertemplate="%{fullData.name}, epoch %{x}: %{y:.1%}<extra></extra>",
        )
    return figure.update_layout(
        template=PLOT,
        hovermode="closest",
        margin={"t": 20},
        showlegend=True,
        xaxis={"title": {"text": "epoch"}},
        yaxis={"title": {"text": "macro-F1, validation rows"}, "tickformat": ".0%"},
    )
