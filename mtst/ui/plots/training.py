"""A history -> plotly figure: loss and macro-F1 by epoch, with what has to be beaten; loss by learning rate.

Gradio sends what was added to a list, so every trace is there from the start and only grows.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

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
LOSS, SCORE = (0.44, 1.0), (0.0, 0.36)  # where the two panes are
OPENINGS_NAMED = 14
TASKS_APART = 3  # up to which the legend tells train and validation apart
POWERS = range(-9, 3)  # of ten, that a learning rate may be


def baselines(history: History) -> dict[str, dict[str, Scores]]:
    """Return the scores that were reached without training, by baseline and task, as far as they are measured."""
    found = history.baselines
    return {
        "majority": found.majority if found else {},
        "before": history.epochs[0].validation if history.epochs else {},
        "logistic": found.logistic if found else {},
    }


def named(kind: str, history: History) -> str:
    """Return the name of a baseline; before training heads are zero-shot unless they have learned already."""
    if kind == "before" and history.is_zero_shot:
        return "zero-shot"
    return NAMES[kind]


def curves(history: History, run: str) -> "go.Figure":
    """Loss and macro-F1 of each task against epochs, the baselines as thin lines, openings and the kept epoch lined."""
    import plotly.graph_objects as go

    figure = go.Figure()
    tasks = [task.name for task in history.tasks]
    for number, task in enumerate(tasks):
        _add_task(figure, history, number, task, crowded=len(tasks) > TASKS_APART)
    _add_baselines(figure, history, tasks)
    openings = _openings(history.groups, history.total_epochs)
    figure.update_layout(
        template=PLOT,
        uirevision=run,
        hovermode="x unified",
        margin={"t": 20},
        xaxis={
            "title": {"text": "epoch"}, "range": [-0.3, (history.total_epochs if history.has_started else 1) + 0.3], "anchor": "y2",
            "domain": [0, 1],
        },
        yaxis={"title": {"text": "loss (nats)"}, "rangemode": "tozero", "domain": LOSS},
        yaxis2={"title": {"text": "macro-F1"}, "range": [0, 1.03], "tickformat": ".0%", "domain": SCORE, "anchor": "x"},
        shapes=[_line(epoch - 1, "var(--open)") for epoch, _ in openings],
        annotations=[_name(epoch - 1, title) for epoch, title in openings if len(openings) <= OPENINGS_NAMED],
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
    """Add the curves of a task; in a crowd they share one entry of the legend."""
    colour, name = task_colour(number), plain(truncate(task, 20), 99)
    steps, losses = _thinned(history, task)
    figure.add_scatter(
        x=[None, *steps], y=[None, *losses], name=f"{name} train", mode="lines", opacity=0.6,
        line={"color": colour, "width": 1.4}, hovertemplate="epoch %{x:.1f}: %{y:.3f}",
        **({"legendgroup": f"task {number}", "showlegend": False} if crowded else {}),
    )  # fmt: skip
    ends = [(ended.epoch, ended.validation[task]) for ended in history.epochs if task in ended.validation]
    at = [None, *(epoch for epoch, _ in ends)]
    look = {
        "x": at, "mode": "lines+markers", "line": {"color": colour, "width": 2.6}, "legendgroup": f"task {number}",
        "marker": {"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 8},
    }  # fmt: skip
    figure.add_scatter(
        **look, y=[None, *(round(scores.loss, 4) for _, scores in ends)],
        name=name if crowded else f"{name} validation", hovertemplate="epoch %{x}: %{y:.3f}",
    )  # fmt: skip
    figure.add_scatter(
        **look, y=[None, *(round(scores.macro_f1, 4) for _, scores in ends)], name=name, yaxis="y2", showlegend=False,
        hovertemplate="epoch %{x}: %{y:.1%}",
    )  # fmt: skip


def _add_baselines(figure: "go.Figure", history: History, tasks: Sequence[str]) -> None:
    """Add a line for each baseline, task and pane; a kind has one entry in the legend, which stands for all tasks."""
    last = history.total_epochs if history.has_started else 1
    for kind, found in baselines(history).items():
        common = {"mode": "lines", "legendgroup": kind, "hoverinfo": "skip"}
        line = {"dash": DASHES[kind], "width": 1.4}
        figure.add_scatter(
            x=[None],
            y=[None],
            name=named(kind, history),
            **common,
            line=line | {"color": "var(--body-text-color-subdued)"},
        )
        for number, task in enumerate(tasks):
            scores = found.get(task)
            for axis, value in (("y", scores and scores.loss), ("y2", scores and scores.macro_f1)):
                figure.add_scatter(
                    x=[None] if value is None else [None, 0, last],
                    y=[None] if value is None else [None, round(value, 4), round(value, 4)],
                    yaxis=axis, showlegend=False, line=line | {"color": task_colour(number)}, opacity=0.75, **common,
                )  # fmt: skip


def _openings(groups: Sequence[GroupPlan], epochs: int) -> list[tuple[int, str]]:
    """Return the epochs after the first at which groups open, and the groups' names."""
    named: dict[int, list[str]] = {}
    for group in groups:
        if group.opens_at is not None and 1 < group.opens_at <= epochs:
            named.setdefault(group.opens_at, []).append(group.title)
    return [(epoch, plain(truncate(", ".join(titles), 24), 99)) for epoch, titles in sorted(named.items())]


def _line(x: float, colour: str, width: float = 1) -> dict:
    return {
        "type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper",
        "line": {"color": colour, "width": width, "dash": "dot"},
    }  # fmt: skip


def _name(x: float, title: str) -> dict:
    return {
        "x": x, "y": 1, "yref": "paper", "text": title, "textangle": -90, "showarrow": False, "xanchor": "left",
        "yanchor": "top", "font": {"size": 11, "color": "var(--open)"},
    }  # fmt: skip


def _thinned(history: History, task: str) -> tuple[list[float], list[float]]:
    """Mean losses over equal stretches of steps, as long as the whole run needs to be drawn with few points.

    A point never changes once it is there, so the page is sent only the new ones.
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
    """The loss against the rate of the heads, or of the encoder where no head is open; the suggestion lined."""
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
