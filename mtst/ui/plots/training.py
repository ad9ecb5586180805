"""Figures of a run: macro-F1 and loss by epoch over its schedule, with the baselines, and loss by learning rate.

Gradio sends only what was added to a list, so every trace is there from the start and grows.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mtst.evaluation.scores import Scores
from mtst.runs.history import History
from mtst.text import truncate
from mtst.ui.plots.lanes import BELOW, Schedule, frame
from mtst.ui.plots.similarity import plain
from mtst.ui.plots.style import PLOT, SYMBOLS, task_colour

if TYPE_CHECKING:
    import plotly.graph_objects as go

TRAIN_POINTS = 150
NAMES = {"majority": "majority class", "before": "before training", "logistic": "logistic regression"}
DASHES = {"majority": "dot", "before": "dash", "logistic": "dashdot"}
VIEWS = {"Score": "y2", "Loss": "y"}  # what the page can show, by the axis of its traces; the first one first
MAX_MARKED_EPOCHS = 40  # each epoch has a mark of its own up to this number
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
    """Return macro-F1 and loss of each task by epoch, of which the page shows one, over the lanes of the schedule."""
    import plotly.graph_objects as go

    figure = go.Figure()
    tasks = [task.name for task in history.tasks]
    for number, task in enumerate(tasks):
        _add_task(figure, history, number, task, crowded=len(tasks) > MAX_TASKS_APART)
    _add_baselines(figure, history, tasks)
    schedule = schedule_of(history)
    marks = [_kept(schedule.kept, schedule.epochs)] if schedule.kept is not None else []
    layout = frame(schedule, marks)
    layout["meta"]["views"] = VIEWS
    if schedule.kept is not None:
        layout["shapes"].append(_line(schedule.kept, "var(--good)", 1.5))
    common = {"side": "right", "gridcolor": "var(--lane-grid)", "title": None}
    return figure.update_layout(
        template=PLOT,
        uirevision=run,
        hovermode="x unified",
        legend={"y": -BELOW / max(1, schedule.height), "yanchor": "top", "font": {"size": 12}, "tracegroupgap": 2},
        yaxis={**common, "rangemode": "tozero"},
        yaxis2={
            **common, "overlaying": "y", "range": _score_range(history), "tickformat": ".0%", "dtick": 0.1, "tick0": 0,
            "tickmode": "linear",
        },
        **layout,
    )  # fmt: skip


def schedule_of(history: History) -> Schedule:
    """Return what is open when in a run, as far as it has come."""
    per_epoch = history.total_steps / max(1, history.total_epochs)
    done = max(float(history.last_epoch), history.last_step / per_epoch if per_epoch else 0.0)
    kept = history.finished.best_epoch if history.is_finished else None
    return Schedule(history.groups, history.total_epochs, done, kept)


def _score_range(history: History) -> list[float]:
    """Return the bounds of the axis of scores: from the lowest one, rounded down, to just above one."""
    scores = [scores.macro_f1 for ended in history.epochs for scores in ended.validation.values()]
    return [max(0.0, math.floor(10 * min(scores, default=0.0)) / 10 - 0.02), 1.02]


def _kept(epoch: int, epochs: int) -> dict[str, Any]:
    """Return the mark of the epoch that is kept, inside the figure wherever the epoch is."""
    right = epoch > 0.6 * epochs
    return {
        "x": epoch, "y": 1, "yref": "paper", "text": f"kept: epoch {epoch}", "showarrow": False, "yanchor": "top",
        "xanchor": "right" if right else "left", "xshift": -5 if right else 5, "yshift": -4, "bgcolor": "var(--card)",
        "font": {"size": 12, "color": "var(--good)"}, "borderpad": 2,
    }  # fmt: skip


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
    few = history.total_epochs <= MAX_MARKED_EPOCHS
    style: dict[str, Any] = {
        "x": epochs, "mode": "lines+markers" if few else "lines", "line": {"color": colour, "width": 2.6},
        "marker": {"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 8, "line": {"color": "var(--card)", "width": 1}},
        "cliponaxis": False,
    }  # fmt: skip
    figure.add_scatter(
        **style, y=[None, *(round(scores.loss, 4) for _, scores in ends)],
        name=name if crowded else f"{name} validation", hovertemplate="epoch %{x}: %{y:.3f}",
    )  # fmt: skip
    figure.add_scatter(
        **style, y=[None, *(round(scores.macro_f1, 4) for _, scores in ends)], name=name, yaxis="y2",
        hovertemplate="epoch %{x}: %{y:.1%}",
    )  # fmt: skip


def _add_baselines(figure: "go.Figure", history: History, tasks: Sequence[str]) -> None:
    """Add a line for each baseline, task and axis; a baseline has one entry in the legend of each axis."""
    last = history.total_epochs if history.has_started else 1
    for kind, of_kind in baselines(history).items():
        common = {"mode": "lines", "legendgroup": kind, "hoverinfo": "skip"}
        line = {"dash": DASHES[kind], "width": 1.4}
        for axis in VIEWS.values():
            figure.add_scatter(
                x=[None],
                y=[None],
                name=baseline_name(kind, history),
                yaxis=axis,
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


def _line(x: float, colour: str, width: float = 1) -> dict[str, Any]:
    return {
        "type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper",
        "line": {"color": colour, "width": width, "dash": "dot"},
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
