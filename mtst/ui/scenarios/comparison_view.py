"""What the Scenarios tab does: put a comparison in the queue, follow it, take its result home."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence

import gradio as gr

from mtst.assets import SMALL_SAMPLE
from mtst.comparison.events import plan_attempts
from mtst.data.tasks import Task
from mtst.errors import MtstError, RunError
from mtst.model.layer_groups import HEAD
from mtst.runs.history import History
from mtst.runs.queue import QueuePosition
from mtst.runs.report import build_comparison_report
from mtst.training.config import TrainConfig
from mtst.training.scenarios import comparable_scenarios
from mtst.ui.components import run_status
from mtst.ui.components.html import empty
from mtst.ui.components.live_plot import hide_figure, show_figure
from mtst.ui.plots import comparison as comparison_plots
from mtst.ui.scenarios import html_report, recommendation
from mtst.ui.server.temporary_files import write_file
from mtst.ui.services import run_controls
from mtst.ui.services.services import Services
from mtst.ui.train.form import dataset
from mtst.ui.train.form.hyperparameters import explain_setting_error
from mtst.ui.train.form.upload_draft import ColumnChoice, UploadDraft

OUTPUTS = 13  # of `show`
ONE_HEAD = f"freeze-{HEAD}"  # stands for freezing the head of each task in turn
TOGETHER = "train-all"  # the scenario in which each task is trained alone too
READY = run_status.state_line("ready", "Ready to compare", "each scenario in turn, from the same start")
NOTHING = empty(
    "Which scenario suits your data?",
    "Every ticked scenario is trained on the same rows and judged by the same others. The answer comes here.",
)


def expanded(keys: Sequence[str], tasks: Sequence[Task]) -> tuple[str, ...]:
    """Return the scenarios that the ticks stand for."""
    known = comparable_scenarios(tasks)
    return tuple(key for key in known if key in keys or (key.startswith(ONE_HEAD) and ONE_HEAD in keys))


def start(
    services: Services,
    visitor: str,
    keys: list[str],
    seeds: int,
    alone: bool,
    draft: UploadDraft | None,
    text: str | None,
    labels: list[str],
    merge: bool,
    *ticked: list[str],
    encoder: str = "",
) -> tuple[object, ...]:
    """Put a comparison in the queue; return its token, its state, and the update that hides the button.

    Raises:
        gr.Error: it cannot be made.
    """
    try:
        wanted = dataset.choice(text, labels, merge, ticked)
        if draft is None:
            draft, wanted = sample(services)
        job, data = dataset.job(services, draft, wanted, TrainConfig(), "compare", encoder)
        job = dataset.comparing(job, expanded(keys, data.tasks), seeds, TOGETHER if alone else None)
        plan_attempts(job.scenarios, job.seeds, data, job.alone)  # refuses what cannot be compared
        token = services.runs.submit(job, data, visitor)
    except MtstError as error:
        raise gr.Error(explain_setting_error(str(error)), title="Cannot compare yet", print_exception=False) from error
    return token, run_status.status(History()), gr.Button(visible=False)


def sample(services: Services) -> tuple[UploadDraft, ColumnChoice]:
    """Return what is compared where nothing has been chosen."""
    draft, text, labels, *_ = dataset.choose(services, str(SMALL_SAMPLE))
    return draft, ColumnChoice(text["value"], tuple(labels["value"]))


async def follow(services: Services, token: str | None) -> AsyncIterator[tuple[object, ...]]:
    """Yield what the page shows of a comparison whenever it has grown, until it is over."""
    try:
        folder = services.runs.folder(token)
        token, source = folder.path.name, folder.job().source
    except RunError:
        yield tuple(gr.skip() for _ in range(OUTPUTS))  # nothing to show: the page stays as it is
        return
    try:
        async for history in services.runs.follow(token):
            place = services.runs.place(token)
            yield await asyncio.to_thread(show, history, source, place, folder.stop_requested)  # it computes
    except RunError:
        yield none("the comparison that was shown here is gone")


def show(
    history: History, source: str = "", place: QueuePosition | None = None, stopping: bool = False
) -> tuple[object, ...]:
    """Return every output for a history of rows from `source`; see `outputs` in `scenarios_tab` for their order."""
    comparison = history.comparison
    some, over = bool(comparison.rows), history.is_over
    learnt = comparison.learning
    return (
        _status(history, place, stopping=stopping),
        recommendation.recommendation(comparison, source) if some else NOTHING,
        recommendation.scores(comparison) + recommendation.together(comparison) if some else "",
        gr.Column(visible=comparison.started is not None),
        show_figure(comparison_plots.curves(comparison)) if comparison.started else hide_figure(),
        show_figure(comparison_plots.costs(comparison)) if some else hide_figure(),
        gr.Column(visible=learnt is not None),
        show_figure(comparison_plots.learning(learnt)) if learnt else hide_figure(),
        recommendation.more_data(learnt),
        gr.Button(visible=over),
        gr.Button(visible=not over, interactive=not stopping),
        gr.Button(visible=history.is_resumable),
        gr.Row(visible=over and some),
    )


def none(message: str) -> tuple[object, ...]:
    """Return every output for no comparison, with a word about why."""
    nothing = gr.update(visible=False)
    status = run_status.state_line("ready", "Ready to compare", message)
    return (
        status, NOTHING, "", nothing, hide_figure(), hide_figure(), nothing, hide_figure(), "", gr.Button(visible=True), nothing,
        nothing, nothing,
    )  # fmt: skip


def _status(history: History, place: QueuePosition | None, stopping: bool) -> str:
    comparison = history.comparison
    if history.has_failed or place or comparison.started is None or history.is_waiting:
        return run_status.status(history, place, stopping=stopping)
    made, of = len(comparison.made), len(comparison.started.attempts)
    if done := comparison.compared:
        state, title = ("stopped", "Stopped") if done.stopped else ("finished", "Finished")
        title = f"{title}, {made} of {of} attempts made"
        return run_status.state_line(state, title, f"took {run_status.format_duration(done.seconds)}", made, of)
    title, note = recommendation.progress(comparison)
    if stopping:
        return run_status.state_line("stopping", "Stopping", note, made, of)
    return run_status.state_line("running", title, note, made, of)


def resume(services: Services, visitor: str, token: str | None) -> gr.Button:
    """Let a comparison that broke off go on with the first attempt that has not ended.

    Raises:
        gr.Error: it cannot go on.
    """
    run_controls.resume_run(services, visitor, token)
    return gr.Button(visible=False)


def delete(services: Services, token: str | None) -> tuple[object, ...]:
    """Remove the comparison with its data now; return the token of none and what the page shows of none.

    Raises:
        gr.Error: it cannot be removed.
    """
    run_controls.delete_run(services, token)
    return None, *none("your comparison and its data are deleted")


def pack(services: Services, token: str | None) -> tuple[str, str]:
    """Write the result as one page and as JSON; return the files.

    Raises:
        gr.Error: there is none, or it cannot be written.
    """
    try:
        folder = services.runs.folder(token)
        job, data, comparison = folder.job(), folder.data(), folder.history().comparison
        page = write_file("comparison.html", html_report.html_report(job, data, comparison).encode())
        made = json.dumps(build_comparison_report(job, data, comparison), indent=1, ensure_ascii=False)
        report = write_file("comparison.json", f"{made}\n".encode())
    except MtstError as error:
        raise gr.Error(str(error), title="No file could be made", print_exception=False) from error
    return str(page), str(report)
