"""Figures of a run: loss and macro-F1 by epoch with the baselines, and loss by learning rate.

Gradio sends only what was added to a list, so every trace is there from the start and grows.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mtst.evaluation.scores import Scores
from mtst.runs.history import History
from mtst.text import truncate
from mtst.training.events import GroupPlan
from mtst.ui.plots.similarity import plain
from mtst.ui.plots.style import PLOT, SYMBOLS, task_colour

if TYPE_CHECKING:
    import plotly.graph_objects as go

TRAIN_POINTS = 150
NAMES = {"majority": "majority class", "before": "before training", "logistic": "logistic regression"}
DASHES = {"majority": "dot", "before": "dash", "logistic": "dashdot"}
LOSS, SCORE = (0.44, 1.0), (0.0, 0.36)  # the vertical domains of the two panes
MAX_NAMED_OPENINGS = 14
MAX_TASKS_APART = 3  # with more tasks, train and validation share an entry of the legend
POWERS = range(-9, 3)  # of ten, with a tick on the axis of learning rates


def baselines(history: History) -> dict[str, dict[str, Scores]]:
    """Return the scores reached without training, by baseline and task, as far as they are measured."""
    measured = history.baselines
    return {
        "majority": measured.majority if measured else {},
        "before": history.epochs[0].validation if history.epochs else {},
        "logistic": measured.logistic if measured else {},
    }


def baseline_name(kind: str, history: History) -> str:
    """Return the name of a baseline; heads before training are zero-shot unless they have been trained before."""
    if kind == "before" and history.is_zero_shot:
        return "zero-shot"
    return NAMES[kind]


def curves(history: History, run: str) -> "go.Figure":
    """Return loss and macro-F1 of each task by epoch; lines mark baselines, opening groups and the kept epoch."""
    import plotly.graph_objects as go

    figure = go.Figure()
    tasks = [task.name for task in history.tasks]
    epochs = history.total_epochs if history.has_started else 1
    for number, task in enumerate(tasks):
        _add_task(figure, history, number, task, crowded=len(tasks) > MAX_TASKS_APART)
    _add_baselines(figure, history, tasks)
    openings = _openings(history.groups, history.total_epochs)
    few_openings = len(openings) <= MAX_NAMED_OPENINGS
    figure.update_layout(
        template=PLOT,
        uirevision=run,
        hovermode="x unified",
        margin={"t": 20},
        xaxis={
            "title": {"text": "epoch"}, "range": [-0.3, epochs + 0.3], "anchor": "y2",
            "domain": [0, 1],
        },
        yaxis={"title": {"text": "loss (nats)"}, "rangemode": "tozero", "domain": LOSS},
        yaxis2={"title": {"text": "macro-F1"}, "range": [0, 1.03], "tickformat": ".0%", "domain": SCORE, "anchor": "x"},
        shapes=[_line(epoch - 1, "var(--open)") for epoch, _ in openings],
        annotations=[_opening_name(epoch - 1, title) for epoch, title in openings] if few_openings else [],
    )  # fmt: skip
    if history.is_finished and history.total_epochs:
        kept = history.finished.best_epoch
        figure.add_shape(_line(kept, "var(--good)", 1.5))
        figure.add_annotation(
            x=kept, y=(LOSS[0] + SCORE[1]) / 2, yref="paper", text="kept", showarrow=False, xanchor="left",
            xshift=4, font={"size": 12, "color": "var(--good)"},
        )  # fmt: skip
    return figure


def _add_task(figure: "go.Figure", history: History, number: int, task: str, *, crowded: bool) -> None:
    """Add the curves of a task; if `crowded` they share one entry of the legend."""
    colour, name = task_colour(number), plain(truncate(task, 20), 99)
    steps, losses = _averaged_losses(history, task)
    figure.add_scatter(
        x=[None, *steps], y=[None, *losses], name=f"{name} train", mode="lines", opacity=0.6,
        line={"color": colour, "width": 1.4}, hovertemplate="epoch %{x:.1f}: %{y:.3f}",
        **({"legendgroup": f"task {number}", "showlegend": False} if crowded else {}),
    )  # fmt: skip
    ends = [(ended.epoch, ended.validation[task]) for ended in history.epochs if task in ended.validation]
    epochs = [None, *(epoch for epoch, _ in ends)]
    style: dict[str, Any] = {
        "x": epochs, "mode": "lines+markers", "line": {"color": colour, "width": 2.6}, "legendgroup": f"task {number}",
        "marker": {"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 8},
    }  # fmt: skip
    figure.add_scatter(
        **style, y=[None, *(round(scores.loss, 4) for _, scores in ends)],
        name=name if crowded else f"{name} validation", hovertemplate="epoch %{x}: %{y:.3f}",
    )  # fmt: skip
    figure.add_scatter(
        **style, y=[None, *(round(scores.macro_f1, 4) for _, scores in ends)], name=name, yaxis="y2", showlegend=False,
        hovertemplate="epoch %{x}: %{y:.1%}",
    )  # fmt: skip


def _add_baselines(figure: "go.Figure", history: History, tasks: Sequence[str]) -> None:
    """Add a line for each baseline, task and pane; a baseline has one entry in the legend for all tasks."""
    last = history.total_epochs if history.has_started else 1
    for kind, of_kind in baselines(history).items():
        common = {"mode": "lines", "legendgroup": kind, "hoverinfo": "skip"}
        line = {"dash": DASHES[kind], "width": 1.4}
        figure.add_scatter(
            x=[None],
            y=[None],
            name=baseline_name(kind, history),
            **common,
            line=line | {"color": "var(--body-text-color-subdued)"},
        )
        for number, task in enumerate(tasks):
            scores = of_kind.get(task)
            values = {"y": scores.loss, "y2": scores.macro_f1} if scores else {"y": None, "y2": None}
            for axis, value in values.items():
                figure.add_scatter(
                    x=[None] if value is None else [None, 0, last],
                    y=[None] if value is None else [None, round(value, 4), round(value, 4)],
                    yaxis=axis, showlegend=False, line=line | {"color": task_colour(number)}, opacity=0.75, **common,
                )  # fmt: skip


def _openings(groups: Sequence[GroupPlan], epochs: int) -> list[tuple[int, str]]:
    """Return the epochs after the first in which groups open, and the names of the groups."""
    titles: dict[int, list[str]] = {}
    for group in groups:
        if group.opens_at is not None and 1 < group.opens_at <= epochs:
            titles.setdefault(group.opens_at, []).append(group.title)
    return [(epoch, plain(truncate(", ".join(names), 24), 99)) for epoch, names in sorted(titles.items())]


def _line(x: float, colour: str, width: float = 1) -> dict[str, Any]:
    return {
        "type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper",
        "line": {"color": colour, "width": width, "dash": "dot"},
    }  # fmt: skip


def _opening_name(x: float, title: str) -> dict[str, Any]:
    return {
        "x": x, "y": 1, "yref": "paper", "text": title, "textangle": -90, "showarrow": False, "xanchor": "left",
        "yanchor": "top", "font": {"size": 11, "color": "var(--open)"},
    }  # fmt: skip


def _averaged_losses(history: History, task: str) -> tuple[list[float], list[float]]:
    """Return mean losses over equal stretches of steps, so that the whole run has about `TRAIN_POINTS` points.

    A point never changes, so that the page is sent only the new ones.
    """
    steps_per_epoch = max(1, history.total_steps // max(1, history.total_epochs))
    losses = [(step.step, step.losses[task]) for step in history.steps if task in step.losses]
    stretch = max(1, math.ceil(history.total_steps / TRAIN_POINTS))
    whole = len(losses) - len(losses) % stretch
    parts = [losses[k : k + stretch] for k in range(0, whole, stretch)]
    x = [round(sum(step for step, _ in part) / len(part) / steps_per_epoch, 3) for part in parts]
    y = [round(sum(loss for _, loss in part) / len(part), 4) for part in parts]
    return x, y


def rate_curve(history: History, run: str) -> "go.Figure":
    """Return the loss against the rate of the heads, or of the encoder if no head is open, with the suggested rate."""
    import plotly.graph_objects as go

    heads = any(group.open and group.task is not None for group in history.groups)
    part, name = ("heads", "head_rate") if heads else ("encoder", "encoder_rate")
    tried = [(getattr(step, name), step.encoder_rate, step.loss) for step in history.tried]
    figure = go.Figure(
        go.Scatter(
            x=[float(f"{rate:.4g}") for rate, _, _ in tried],
            y=[round(loss, 4) for _, _, loss in tried],
            customdata=[float(f"{rate:.2g}") for _, rate, _ in tried],
            mode="lines",
            line={"color": "var(--ink)", "width": 2.2},
            hovertemplate=f"{part} %{{x:.2g}}, encoder %{{customdata:.2g}}: loss %{{y:.3f}}<extra></extra>",
        )
    )
    if history.has_found_rates and tried:
        rate = getattr(history.rates_found, name)
        figure.add_shape(_line(rate, "var(--good)", 1.5))
        figure.add_annotation(
            x=math.log10(rate), y=1, yref="paper", text=f"suggested: {rate:.2g}", showarrow=False, xanchor="left",
            xshift=4, yanchor="top", font={"size": 12, "color": "var(--good)"},
        )  # fmt: skip
    return figure.update_layout(
        template=PLOT,
        uirevision=run,
        hovermode="closest",
        showlegend=False,
        xaxis={
            "type": "log", "title": {"text": f"learning rate of the {part}"},
            "tickvals": [10.0**power for power in POWERS], "ticktext": [f"1e{power}" for power in POWERS],
        },
        yaxis={"title": {"text": "loss (nats)"}},
    )  # fmt: skip
