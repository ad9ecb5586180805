"""The view of a run: followed while it goes on, restored after a reload, or of no run."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from mtst.data.tasks import Task
from mtst.errors import RunError, SettingsError
from mtst.runs.history import History
from mtst.runs.job import Job
from mtst.runs.queue import QueuePosition
from mtst.runs.report import training_command
from mtst.text import inline_text
from mtst.training.scenarios import find_scenario
from mtst.ui.components import run_status
from mtst.ui.components.events import UNCHANGED, Update
from mtst.ui.components.html import empty, quiet
from mtst.ui.components.layer_map import run_layers
from mtst.ui.components.live_plot import hide_figure, show_figure
from mtst.ui.components.share_card import hide_card
from mtst.ui.plots import training as training_plots
from mtst.ui.services.services import Services
from mtst.ui.train.results import confusion_matrix, score_tables, summary, verdict
from mtst.ui.train.run_list import pinned_scores

NO_LOSS = empty(
    "The curves begin with the first epoch", "You can zoom in, hide a curve, and reload the page meanwhile."
)
NOTHING_TRAINED = empty("Nothing was trained", "The tab Scores has the scores of the model as it is.")
NO_ERRORS = quiet("The confusion matrix appears here once the run is over.")
NO_SUMMARY = quiet("Each layer is checked against its weights before training once the run is over.")
NO_COMMAND = quiet("The command that repeats this run appears here once it is over.")


@dataclass(frozen=True)
class RunDetails:
    """What the page knows of a run beside its history.

    `checkpoint` has the numbers of the checkpoint of a run that broke off, `pinned` the scores of the run that others
    are compared with.
    """

    token: str
    job: Job
    position: QueuePosition | None = None
    stopping: bool = False
    has_model: bool = False
    checkpoint: Mapping[str, Any] | None = None
    pinned: verdict.Pinned | None = None


@dataclass(frozen=True)
class RunView:
    """Everything that the Train tab shows of a run."""

    plot: Update = UNCHANGED
    placeholder: Update = UNCHANGED
    status: str = UNCHANGED
    scores: str = UNCHANGED
    drawing: Update = UNCHANGED
    begin: Update = UNCHANGED
    stop: Update = UNCHANGED
    resume: Update = UNCHANGED
    delete: Update = UNCHANGED
    confirmation: Update = UNCHANGED
    result: str = UNCHANGED
    score: str = UNCHANGED
    share: Update = UNCHANGED
    card: Update = UNCHANGED
    result_card: Update = UNCHANGED
    run_card: Update = UNCHANGED
    setup: Update = UNCHANGED
    summary: str = UNCHANGED
    command: str = UNCHANGED
    matrices: str = UNCHANGED
    rescued: str = UNCHANGED


async def follow_run(services: Services, token: str | None, runs: object = None) -> AsyncGenerator[RunView, None]:
    """Yield the view of a run whenever its history grows, until it is over; `runs` is the list of the visitor's."""
    try:
        folder = services.runs.folder(token)
        token, job = folder.path.name, folder.job()
    except RunError:
        yield RunView()  # an unknown token leaves the page as it is
        return
    first = True
    try:
        async for history in services.runs.follow(token):
            run = RunDetails(
                token,
                job,
                services.runs.position(token),
                folder.stop_requested,
                has_model=history.is_over and folder.has_model,
                checkpoint=folder.checkpoint_metadata if history.has_failed else None,
                pinned=await asyncio.to_thread(pinned_scores, services, runs, token) if history.is_over else None,
            )
            view = await asyncio.to_thread(show_run, history, run, first=first)  # tables are long
            if not folder.path.exists():  # deleted meanwhile, and the page shows that
                yield RunView()
                return
            yield view
            first = False
    except RunError:
        yield no_run("The run that was shown here is gone.")


def show_run(history: History, run: RunDetails, *, first: bool = True) -> RunView:
    """Return the view of a run; the `first` one closes the setup, which its visitor may open again."""
    has_curves = history.total_epochs > 0
    no_curves = NOTHING_TRAINED if history.is_finished else NO_LOSS
    matrices = confusion_matrix.kept_epoch(history) or NO_ERRORS
    return RunView(
        plot=show_figure(training_plots.curves(history, run.token[:6])) if has_curves else hide_figure(),
        placeholder=gr.update(visible=False) if has_curves else gr.update(value=no_curves, visible=True),
        status=run_status.status(
            history,
            run.position,
            stopping=run.stopping,
            checkpoint=run.checkpoint,
            about=_about(run.job, history.tasks),
        ),
        scores=score_tables.scores(history),
        drawing=run_layers(history),
        begin=gr.update(value="Train again", visible=history.is_over),
        stop=gr.update(visible=not history.is_over, interactive=not run.stopping),
        resume=gr.update(visible=history.is_resumable),
        delete=gr.update(visible=True, interactive=True) if first else UNCHANGED,
        confirmation=gr.update(visible=False) if first else UNCHANGED,
        result=verdict.verdict_text(history) if run.has_model else "",
        score=verdict.score_box(history, run.pinned) if run.has_model else "",
        share=gr.update(visible=bool(history.best_validation)),
        card=hide_card() if first else UNCHANGED,
        result_card=gr.update(visible=run.has_model),
        run_card=gr.update(visible=history.has_started),
        setup=gr.update(open=False) if first else UNCHANGED,
        summary=summary.summarize(history) or NO_SUMMARY,
        command=_command(history, run),
        matrices=matrices,
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
        begin=gr.update(value="Start training", visible=True),
        stop=hidden,
        resume=hidden,
        delete=hidden,
        confirmation=hidden,
        result="",
        score="",
        card=hide_card(),
        result_card=hidden,
        run_card=hidden,
        setup=gr.update(open=True),
        summary=NO_SUMMARY,
        command=NO_COMMAND,
        matrices=NO_ERRORS,
        rescued="",
    )


def _command(history: History, run: RunDetails) -> str:
    """Return the command that repeats a run that is over."""
    if not history.is_over or not history.has_started:
        return NO_COMMAND
    return summary.reproduce(history, run.job, training_command(run.job, [task.name for task in history.tasks]))


def _about(job: Job, tasks: Sequence[Task]) -> str:
    """Return the scenario and the file, in a few words; a scenario of one task has no title before that is known."""
    try:
        title = find_scenario(job.config.scenario, tasks).title
    except SettingsError:
        title = job.config.scenario
    return " · ".join(inline_text(part, 40) for part in (title, job.source) if part)
