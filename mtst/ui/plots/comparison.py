"""Figures of a comparison: score against cost while the scenarios train and afterwards, and score by training rows.

Gradio sends only what was added to a list, so every trace is there from the start and grows.
"""

from collections.abc import Iterable, Sequence
from math import log10
from statistics import mean
from typing import TYPE_CHECKING

from mtst.comparison.events import Attempt, LearningCurve
from mtst.comparison.results import Comparison, ScenarioResult, title_of
from mtst.data.tasks import Task
from mtst.evaluation.scores import mean_macro_f1
from mtst.text import truncate
from mtst.ui.plots.label_placement import place_labels
from mtst.ui.plots.similarity import plain
from mtst.ui.plots.style import PLOT, SYMBOLS, task_colour

if TYPE_CHECKING:
    import plotly.graph_objects as go

TICKS = [digit * 10**power for power in range(-2, 6) for digit in (1, 2, 5)]
COST = "seconds of training, log scale"
WIDTH, COSTS_HEIGHT, CURVES_HEIGHT = 330.0, 260.0, 220.0  # of the plotting area in pixels, about, where it is narrow
MAX_NAME = 26
MIN_SECONDS = 0.01  # zero has no place on a logarithmic axis


def _colour_and_symbol(index: int) -> tuple[str, str]:
    """Return those of a scenario by its index."""
    return task_colour(index), SYMBOLS[index % len(SYMBOLS)]


def _scenarios(attempts: Iterable[Attempt]) -> list[str]:
    """Return the keys of the scenarios, in order."""
    return list(dict.fromkeys(attempt.scenario for attempt in attempts if attempt.task is None))


def curves(comparison: Comparison) -> "go.Figure":
    """Return mean macro-F1 on the validation rows against seconds, a line for each scenario and seed.

    Of several folds it is the first: five lines of one colour are a tangle.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    attempts, tasks = comparison.started.attempts if comparison.has_started else (), comparison.tasks
    keys = _scenarios(attempts)
    for attempt in attempts:
        if attempt.task is not None or attempt.fold:
            continue
        colour, symbol = _colour_and_symbol(keys.index(attempt.scenario))
        first = attempt.seed == 0
        points = [epoch for epoch in comparison.epochs if epoch.attempt == attempt]
        figure.add_scatter(
            x=[None, *(max(MIN_SECONDS, point.seconds) for point in points)],
            y=[None, *(round(mean_macro_f1(point.validation), 4) for point in points)],
            text=["", *(f"epoch {point.epoch}" for point in points)],
            name=_name(attempt.scenario, tasks),
            legendgroup=attempt.scenario,
            showlegend=first,
            mode="lines+markers",
            line={"color": colour, "width": 1.8 if first else 1},
            marker={"symbol": symbol, "size": 7 if first else 4},
            hovertemplate="%{fullData.name}, %{text}, %{x:.1f} s: %{y:.1%}<extra></extra>",
        )
    ends = [
        (max(MIN_SECONDS, last.seconds), mean_macro_f1(last.validation), attempt.scenario)
        for attempt in attempts
        if attempt.task is None and not attempt.fold and not attempt.seed
        for last in [epoch for epoch in comparison.epochs if epoch.attempt == attempt][-1:]
    ]
    shown = [epoch for epoch in comparison.epochs if epoch.attempt.task is None and not epoch.attempt.fold]
    _add_names(
        figure,
        ends,
        tasks,
        height=CURVES_HEIGHT,
        others=[(max(MIN_SECONDS, epoch.seconds), mean_macro_f1(epoch.validation)) for epoch in shown],
    )
    return _with_axes(figure, COST, "validation rows" if comparison.folds == 1 else "validation rows, first fold")


def _with_axes(figure: "go.Figure", x_title: str, rows: str) -> "go.Figure":
    """Give a figure a logarithmic x-axis, and macro-F1 on `rows` as its y-axis."""
    names = [f"{tick:,g}" for tick in TICKS]
    return figure.update_layout(
        template=PLOT,
        hovermode="closest",
        margin={"t": 20},
        xaxis={"title": {"text": x_title}, "type": "log", "tickvals": TICKS, "ticktext": names},
        yaxis={"title": {"text": f"macro-F1, {rows}"}, "tickformat": ".0%", "rangemode": "tozero"},
    )


def _name(scenario: str, tasks: Sequence[Task]) -> str:
    return plain(truncate(title_of(scenario, tasks), 34), 99)


def costs(comparison: Comparison) -> "go.Figure":
    """Return mean macro-F1 against the seconds of an attempt, with the baselines, and a name at each point.

    Error bars show the spread of the seeds; scenarios that were stopped early have hollow symbols.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    if not comparison.has_started:
        return _with_axes(figure, COST, "test rows")
    started = comparison.started
    keys = _scenarios(started.attempts)
    for row in comparison.results:
        colour, symbol = _colour_and_symbol(keys.index(row.scenario))
        symbol += "-open" if row.scenario in comparison.dropped else ""
        figure.add_scatter(
            x=[max(MIN_SECONDS, row.seconds)],
            y=[round(row.score, 4)],
            error_y={
                "type": "data", "symmetric": False, "array": [max(row.scores) - row.score],
                "arrayminus": [row.score - min(row.scores)], "visible": len(row.scores) > 1, "thickness": 1.5,
            },
            name=_name(row.scenario, started.tasks),
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 12},
            hovertemplate="%{fullData.name}, %{x:.1f} s: %{y:.1%}<extra></extra>",
        )  # fmt: skip
    for name, scores, dash in (
        ("majority class", started.majority, "dot"),
        ("logistic regression", started.logistic, "dashdot"),
    ):
        if scores:
            level = mean_macro_f1(scores)
            figure.add_hline(level, line={"color": "var(--c9)", "width": 1.2, "dash": dash})
            figure.add_annotation(
                x=0, xref="paper", y=level, text=name, showarrow=False, xanchor="left", yanchor="bottom",
                font={"size": 12, "color": "var(--c9)"},
            )  # fmt: skip
    points = [(max(MIN_SECONDS, row.seconds), row.score, row.scenario) for row in _first_named(comparison)]
    levels = [mean_macro_f1(scores) for scores in (started.majority, started.logistic) if scores]
    _add_names(figure, points, started.tasks, height=COSTS_HEIGHT, levels=levels)
    return _with_axes(figure, COST, "test rows" if comparison.folds == 1 else "cross-validation")


def _first_named(comparison: Comparison) -> list[ScenarioResult]:
    """Return the results in the order in which they get the best places for their names: the highest score first."""
    return sorted(comparison.results, key=lambda row: (row.scenario in comparison.dropped, -row.score))


def _add_names(
    figure: "go.Figure",
    points: Sequence[tuple[float, float, str]],
    tasks: Sequence[Task],
    *,
    height: float,
    levels: Sequence[float] = (),
    others: Sequence[tuple[float, float]] = (),
) -> None:
    """Write the name of its scenario beside each point, instead of a legend.

    Ranges are fixed, so that what is free on a figure of `WIDTH` by `height` pixels is known.

    Args:
        figure: the figure.
        points: seconds, score and scenario, in the order in which they choose their places.
        tasks: those of the comparison.
        height: of the figure in pixels.
        levels: scores that are in sight too.
        others: seconds and scores of points that have no name.
    """
    figure.update_layout(showlegend=False)
    if not points:
        return
    times = [log10(x) for x, _, _ in points]
    scores = [*(y for _, y, _ in points), *levels, *(y for _, y in others)]
    times_in_sight = [*times, *(log10(x) for x, _ in others)]
    wide, high = max(times_in_sight) - min(times_in_sight) or 1.0, max(scores) - min(scores) or 0.1
    left, right = min(times_in_sight) - 0.2 * wide, max(times_in_sight) + 0.2 * wide
    low, top = max(0.0, min(scores) - 0.12 * high), min(1.02, max(scores) + 0.12 * high)
    figure.update_layout(xaxis={"range": [left, right]}, yaxis={"range": [low, top], "rangemode": "normal"})
    names = [truncate(title_of(key, tasks), MAX_NAME) for _, _, key in points]

    def pixels(seconds: float, score: float) -> tuple[float, float]:
        return WIDTH * (log10(seconds) - left) / (right - left), height * (top - score) / (top - low)

    named = [(*pixels(x, y), name) for (x, y, _), name in zip(points, names, strict=True)]
    places = place_labels(named, WIDTH, height, [pixels(x, y) for x, y in others])
    annotations = [
        {
            "x": time, "y": y, "text": plain(name, 99), "ax": place.x, "ay": place.y, "xanchor": place.anchor,
            "showarrow": True, "arrowhead": 0, "arrowwidth": 1, "arrowcolor": "var(--high)", "standoff": 5,
            "font": {"size": 12, "color": "var(--ink)"},
        }
        for time, (_, y, _), name, place in zip(
            times, points, names, places, strict=True
        )
    ]  # fmt: skip
    for each in annotations:
        figure.add_annotation(each)


def learning(curve: LearningCurve) -> "go.Figure":
    """Return macro-F1 on held-out rows against training rows, with the extrapolated curve."""
    import plotly.graph_objects as go

    figure = go.Figure()
    figure.add_scatter(
        x=[rows for rows, scores in zip(curve.rows, curve.scores, strict=True) for _ in scores],
        y=[round(score, 4) for scores in curve.scores for score in scores],
        name="random subsets",
        mode="markers",
        marker={"color": "var(--c5)", "size": 5, "opacity": 0.6},
        hovertemplate="%{x:,} rows: %{y:.1%}",
    )
    figure.add_scatter(
        x=list(curve.rows),
        y=[round(mean(scores), 4) for scores in curve.scores],
        name="mean",
        mode="lines+markers",
        line={"color": "var(--frozen)", "width": 2},
        hovertemplate="%{x:,} rows: %{y:.1%}",
    )
    if curve.projected:
        rows = list(curve.projected)
        low, middle, high = (list(part) for part in zip(*curve.projected.values(), strict=True))
        figure.add_scatter(
            x=[curve.rows[-1], *rows],
            y=[mean(curve.scores[-1]), *middle],
            error_y={
                "type": "data", "symmetric": False, "array": [0, *(b - a for a, b in zip(middle, high, strict=True))],
                "arrayminus": [0, *(a - b for a, b in zip(middle, low, strict=True))], "thickness": 1.5,
            },
            name="projected (90% interval)",
            mode="lines+markers",
            line={"color": "var(--open)", "width": 2, "dash": "dash"},
            hovertemplate="%{x:,} rows: about %{y:.1%}",
        )  # fmt: skip
    return _with_axes(figure, "training rows", "held-out rows")
