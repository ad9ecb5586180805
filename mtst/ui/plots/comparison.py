"""A comparison of scenarios -> plotly figures: score against cost while they train and when they have, and more rows.

Gradio sends what was added to a list, so every trace is there from the start and only grows.
"""

from collections.abc import Sequence
from statistics import mean
from typing import TYPE_CHECKING

from mtst.comparison.events import LearningCurve
from mtst.comparison.results import Comparison, title_of
from mtst.data.tasks import Task
from mtst.evaluation.scores import mean_macro_f1
from mtst.text import truncate
from mtst.ui.plots.similarity import plain
from mtst.ui.plots.style import PLOT, SYMBOLS, TASK_COLOURS

if TYPE_CHECKING:
    import plotly.graph_objects as go

TICKS = [digit * 10**power for power in range(-2, 6) for digit in (1, 2, 5)]
COST = "seconds that the scenario takes by itself"
LEAST_SECONDS = 0.01  # where a cost of nothing lies on a logarithmic axis


def _look(number: int) -> tuple[str, str]:
    """Return the colour and the symbol of the scenario at a place."""
    return TASK_COLOURS[number % len(TASK_COLOURS)], SYMBOLS[number % len(SYMBOLS)]


def _keys(comparison: Comparison) -> list[str]:
    attempts = comparison.started.attempts if comparison.started else ()
    return list(dict.fromkeys(attempt.scenario for attempt in attempts if attempt.task is None))


def curves(comparison: Comparison) -> "go.Figure":
    """Mean macro-F1 on the validation rows against the seconds that an attempt has taken, a line for each attempt."""
    import plotly.graph_objects as go

    figure = go.Figure()
    keys, tasks = _keys(comparison), comparison.started.tasks if comparison.started else ()
    wanted = [attempt for attempt in comparison.started.attempts if attempt.task is None] if comparison.started else []
    for attempt in wanted:
        colour, symbol = _look(keys.index(attempt.scenario))
        points = [epoch for epoch in comparison.epochs if epoch.attempt == attempt]
        figure.add_scatter(
            x=[None, *(max(LEAST_SECONDS, point.seconds) for point in points)],
            y=[None, *(round(mean_macro_f1(point.validation), 4) for point in points)],
            text=["", *(f"epoch {point.epoch}" for point in points)],
            name=_name(attempt.scenario, tasks),
            legendgroup=attempt.scenario,
            showlegend=attempt.seed == 0,
            mode="lines+markers",
            line={"color": colour, "width": 1.8 if attempt.seed == 0 else 1},
            marker={"symbol": symbol, "size": 7 if attempt.seed == 0 else 4},
            hovertemplate="%{text}, %{x:.1f} s: %{y:.1%}",
        )
    figure.update_layout(meta={"narrow": {"layout": {"showlegend": False}}})  # that of the figure above has room
    return _laid_out(figure, COST, "validation")


def _laid_out(figure: "go.Figure", across: str, rows: str) -> "go.Figure":
    """Give a figure a logarithmic axis across, and macro-F1 on some rows upwards."""
    names = [f"{tick:,g}" for tick in TICKS]
    return figure.update_layout(
        template=PLOT,
        hovermode="closest",
        margin={"t": 20},
        xaxis={"title": {"text": across}, "type": "log", "tickvals": TICKS, "ticktext": names},
        yaxis={"title": {"text": f"macro-F1, {rows} rows"}, "tickformat": ".0%", "rangemode": "tozero"},
    )


def _name(scenario: str, tasks: Sequence[Task]) -> str:
    return plain(truncate(title_of(scenario, tasks), 34), 99)


def costs(comparison: Comparison) -> "go.Figure":
    """Mean macro-F1 on the test rows against the seconds of an attempt, with the spread of the seeds and baselines."""
    import plotly.graph_objects as go

    figure = go.Figure()
    keys, started = _keys(comparison), comparison.started
    for row in comparison.rows:
        colour, symbol = _look(keys.index(row.scenario))
        figure.add_scatter(
            x=[max(LEAST_SECONDS, row.seconds)],
            y=[round(row.score, 4)],
            error_y={
                "type": "data", "symmetric": False, "array": [max(row.scores) - row.score],
                "arrayminus": [row.score - min(row.scores)], "visible": len(row.scores) > 1, "thickness": 1.5,
            },
            name=_name(row.scenario, started.tasks),
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 12},
            hovertemplate="%{x:.1f} s: %{y:.1%}",
        )  # fmt: skip
    for name, found, dash in (
        ("majority class", started.majority, "dot"),
        ("logistic regression", started.logistic, "dashdot"),
    ):
        if found:
            figure.add_hline(mean_macro_f1(found), line={"color": "var(--c9)", "width": 1.2, "dash": dash})
            figure.add_annotation(
                x=0, xref="paper", y=mean_macro_f1(found), text=name, showarrow=False, xanchor="left", yanchor="bottom",
                font={"size": 12, "color": "var(--c9)"},
            )  # fmt: skip
    return _laid_out(figure, COST, "test")


def learning(found: LearningCurve) -> "go.Figure":
    """Macro-F1 on the test rows against training rows, with where the curve leads."""
    import plotly.graph_objects as go

    figure = go.Figure()
    figure.add_scatter(
        x=[rows for rows, scores in zip(found.rows, found.scores, strict=True) for _ in scores],
        y=[round(score, 4) for scores in found.scores for score in scores],
        name="draws of rows",
        mode="markers",
        marker={"color": "var(--c5)", "size": 5, "opacity": 0.6},
        hovertemplate="%{x:,} rows: %{y:.1%}",
    )
    figure.add_scatter(
        x=list(found.rows),
        y=[round(mean(scores), 4) for scores in found.scores],
        name="mean",
        mode="lines+markers",
        line={"color": "var(--frozen)", "width": 2},
        hovertemplate="%{x:,} rows: %{y:.1%}",
    )
    if found.projected:
        rows = list(found.projected)
        low, middle, high = (list(part) for part in zip(*found.projected.values(), strict=True))
        figure.add_scatter(
            x=[found.rows[-1], *rows],
            y=[found.scores[-1][0], *middle],
            error_y={
                "type": "data", "symmetric": False, "array": [0, *(b - a for a, b in zip(middle, high, strict=True))],
                "arrayminus": [0, *(a - b for a, b in zip(middle, low, strict=True))], "thickness": 1.5,
            },
            name="where it leads, 90 %",
            mode="lines+markers",
            line={"color": "var(--open)", "width": 2, "dash": "dash"},
            hovertemplate="%{x:,} rows: about %{y:.1%}",
        )  # fmt: skip
    return _laid_out(figure, "training rows", "test")
