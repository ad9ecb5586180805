"""What the page shows of a run: followed while it goes on, found again after a reload, or none."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import gradio as gr

from mtst.errors import RunError
from mtst.runs.history import History
from mtst.runs.job import Job
from mtst.runs.queue import QueuePosition
from mtst.runs.report import training_command
from mtst.ui.components import run_status
from mtst.ui.components.html import empty, html
from mtst.ui.components.layer_map import layers
from mtst.ui.components.live_plot import hide_figure, show_figure
from mtst.ui.plots import training as training_plots
from mtst.ui.services.services import Services
from mtst.ui.train.results import confusion_matrix, freezing_schedule, score_tables, summary

OUTPUTS = 16  # of `show`
NO_LOSS = empty(
    "The loss and the score of each task will be drawn here",
    "Choose a file or the sample, then start. You can zoom in, hide a curve, and reload the page while it trains.",
)


async def follow(services: Services, token: str | None) -> AsyncIterator[tuple[object, ...]]:
    """Yield what the page shows of a run whenever it has grown, until it is over."""
    try:
        folder = services.runs.folder(token)
        token, job = folder.path.name, folder.job()
    except RunError:
        yield tuple(gr.skip() for _ in range(OUTPUTS))  # no run to show: the page stays as it is
        return
    shown: tuple[bool, bool] | None = None
    try:
        async for history in services.runs.follow(token):
            stage = (history.has_started, history.is_over)
            place, stopping = services.runs.place(token), folder.stop_requested
            has_model = history.is_over and folder.has_model
            saved = folder.checkpoint_metadata if history.has_failed else None
            more = {"has_model": has_model, "saved": saved, "draw": stage != shown}
            yield await asyncio.to_thread(
                show, history, job, token, place, stopping, **more
            )  # long tables take a while
            shown = stage
    except RunError:
        yield none("the run that was shown here is gone")


def show(
    history: History,
    job: Job,
    token: str,
    place: QueuePosition | None = None,
    stopping: bool = False,
    *,
    has_model: bool = False,
    saved: Mapping[str, Any] | None = None,
    draw: bool = True,
) -> tuple[object, ...]:
    """Return every output of the right side for a history; see `outputs` in `train_tab` for their order.

    The layers are drawn when a run begins and ends only: meanwhile a visitor may look at other scenarios.
    """
    if history.total_epochs:
        plot = show_figure(training_plots.curves(history, token[:6]))
        blank = html(visible=False)
    elif history.is_finished:
        plot = hide_figure()
        blank = html(empty("Nothing was trained", "The scores below are those of the model as it is."), visible=True)
    else:
        plot, blank = hide_figure(), html(NO_LOSS, visible=True)
    proof = history.finished.proof if history.is_finished else ()
    groups = layers(history.groups, proof) if history.has_started and draw else gr.skip()
    repeat = training_command(job, [task.name for task in history.tasks]) if history.has_started else []
    planned, wrong = freezing_schedule.running(history), confusion_matrix.mistakes(history)
    return (
        plot,
        blank,
        run_status.status(history, place, stopping=stopping, checkpoint=saved),
        score_tables.scores(history),
        groups,
        gr.Button(visible=history.is_over),
        gr.Button(visible=not history.is_over, interactive=not stopping),
        gr.Button(visible=history.is_resumable),
        gr.Button(visible=True),
        summary.summarize(history, repeat),
        gr.Column(visible=has_model),
        planned,
        gr.Column(visible=bool(planned)),
        wrong,
        gr.Column(visible=bool(wrong)),
        run_status.best_model_note(saved),
    )


def none(message: str) -> tuple[object, ...]:
    """Return every output of the right side for no run, with a word about why."""
    nothing = gr.update(visible=False)
    return (
        hide_figure(), html(NO_LOSS, visible=True), run_status.idle_status(message), score_tables.NO_SCORES, gr.skip(), gr.Button(visible=True),
        nothing, nothing, nothing, "", nothing, "", nothing, "", nothing, "",
    )  # fmt: skip
