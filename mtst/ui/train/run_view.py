"""The view of a run: followed while it goes on, restored after a reload, or of no run."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from mtst.errors import RunError
from mtst.runs.history import History
from mtst.runs.job import Job
from mtst.runs.queue import QueuePosition
from mtst.runs.report import training_command
from mtst.ui.components import run_status
from mtst.ui.components.events import UNCHANGED, Update
from mtst.ui.components.html import empty
from mtst.ui.components.layer_map import layers
from mtst.ui.components.live_plot import hide_figure, show_figure
from mtst.ui.plots import training as training_plots
from mtst.ui.services.services import Services
from mtst.ui.train.results import confusion_matrix, freezing_schedule, score_tables, summary

NO_LOSS = empty(
    "The loss and the score of each task will be drawn here",
    "Choose a file or the sample, then start. You can zoom in, hide a curve, and reload the page while it trains.",
)
NOTHING_TRAINED = empty("Nothing was trained", "The scores below are those of the model as it is.")


@dataclass(frozen=True)
class RunDetails:
    """What the page knows of a run beside its history.

    `checkpoint` has the numbers of the checkpoint of a run that broke off.
    """

    token: str
    job: Job
    position: QueuePosition | None = None
    stopping: bool = False
    has_model: bool = False
    checkpoint: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class RunView:
    """The right side of the Train tab."""

    plot: Update = UNCHANGED
    placeholder: Update = UNCHANGED
    status: str = UNCHANGED
    scores: str = UNCHANGED
    drawing: Update = UNCHANGED
    begin: Update = UNCHANGED
    stop: Update = UNCHANGED
    resume: Update = UNCHANGED
    delete: Update = UNCHANGED
    summary: str = UNCHANGED
    summary_card: Update = UNCHANGED
    schedule: str = UNCHANGED
    schedule_card: Update = UNCHANGED
    matrices: str = UNCHANGED
    matrices_card: Update = UNCHANGED
    rescued: str = UNCHANGED


async def follow_run(services: Services, token: str | None) -> AsyncIterator[RunView]:
    """Yield the view of a run whenever its history grows, until it is over."""
    try:
        folder = services.runs.folder(token)
        token, job = folder.path.name, folder.job()
    except RunError:
        yield RunView()  # an unknown token leaves the page as it is
        return
    drawn_stage: tuple[bool, bool] | None = None
    try:
        async for history in services.runs.follow(token):
            stage = (history.has_started, history.is_over)
            run = RunDetails(
                token,
                job,
                services.runs.position(token),
                folder.stop_requested,
                has_model=history.is_over and folder.has_model,
                checkpoint=folder.checkpoint_metadata if history.has_failed else None,
            )
            yield await asyncio.to_thread(show_run, history, run, draw_layers=stage != drawn_stage)  # tables are long
            drawn_stage = stage
    except RunError:
        yield no_run("the run that was shown here is gone")


def show_run(history: History, run: RunDetails, *, draw_layers: bool = True) -> RunView:
    """Return the view of a run.

    The layers are drawn only when a run begins and ends: meanwhile a visitor may look at other scenarios.
    """
    drawing = UNCHANGED
    if history.has_started and draw_layers:
        drawing = layers(history.groups, history.finished.proof if history.is_finished else ())
    command = training_command(run.job, [task.name for task in history.tasks]) if history.has_started else []
    schedule, matrices = freezing_schedule.running(history), confusion_matrix.kept_epoch(history)
    has_curves = history.total_epochs > 0
    no_curves = NOTHING_TRAINED if history.is_finished else NO_LOSS
    return RunView(
        plot=show_figure(training_plots.curves(history, run.token[:6])) if has_curves else hide_figure(),
        placeholder=gr.update(visible=False) if has_curves else gr.update(value=no_curves, visible=True),
        status=run_status.status(history, run.position, stopping=run.stopping, checkpoint=run.checkpoint),
        scores=score_tables.scores(history),
        drawing=drawing,
        begin=gr.update(visible=history.is_over),
        stop=gr.update(visible=not history.is_over, interactive=not run.stopping),
        resume=gr.update(visible=history.is_resumable),
        delete=gr.update(visible=True),
        summary=summary.summarize(history, command),
        summary_card=gr.update(visible=run.has_model),
        schedule=schedule,
        schedule_card=gr.update(visible=bool(schedule)),
        matrices=matrices,
        matrices_card=gr.update(visible=bool(matrices)),
        rescued=run_status.best_model_note(run.checkpoint),
    )


def no_run(message: str) -> RunView:
    """Return the view of no run, with the reason."""
    hidden = gr.update(visible=False)
    return RunView(
        plot=hide_figure(),
        placeholder=gr.update(value=NO_LOSS, visible=True),
        status=run_status.idle_status(message),
        scores=score_tables.NO_SCORES,
        begin=gr.update(visible=True),
        stop=hidden,
        resume=hidden,
        delete=hidden,
        summary="",
        summary_card=hidden,
        schedule="",
        schedule_card=hidden,
        matrices="",
        matrices_card=hidden,
        rescued="",
    )
