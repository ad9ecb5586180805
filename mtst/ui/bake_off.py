"""What the Scenarios tab does: put a comparison in the queue, follow it, take its result home."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence

import gradio as gr

from mtst.attempts import attempts
from mtst.config import TrainConfig
from mtst.errors import MtstError, RunError
from mtst.groups import HEAD
from mtst.history import History
from mtst.report import comparison_report
from mtst.scenarios import comparable
from mtst.starter import SMALL_SAMPLE
from mtst.tasks import Task
from mtst.ui import controls, dataset, keepsake, plots_compare, verdict, watch
from mtst.ui.downloads import written
from mtst.ui.draft import Choice, Draft
from mtst.ui.parts.live_plot import drawn, hidden
from mtst.ui.parts.pieces import empty
from mtst.ui.services import Services
from mtst.ui.settings import in_words
from mtst.waiting import Place

OUTPUTS = 13  # of `show`
ONE_HEAD = f"freeze-{HEAD}"  # stands for freezing the head of each task in turn
TOGETHER = "train-all"  # the scenario in which each task is trained alone too
READY = watch.state_line("ready", "Ready to compare", "each scenario in turn, from the same start")
NOTHING = empty(
    "Which scenario suits your data?",
    "Every ticked scenario is trained on the same rows and judged by the same others. The answer comes here.",
)


def expanded(keys: Sequence[str], tasks: Sequence[Task]) -> tuple[str, ...]:
    """Return the scenarios that the ticks stand for."""
    known = comparable(tasks)
    return tuple(key for key in known if key in keys or (key.startswith(ONE_HEAD) and ONE_HEAD in keys))


def start(
    services: Services,
    who: str,
    keys: list[str],
    seeds: int,
    alone: bool,
    draft: Draft | None,
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
        attempts(job.scenarios, job.seeds, data, job.alone)  # refuses what cannot be compared
        token = services.runs.submit(job, data, who)
    except MtstError as error:
        raise gr.Error(in_words(str(error)), title="Cannot compare yet", print_exception=False) from error
    return token, watch.status(History()), gr.Button(visible=False)


def sample(services: Services) -> tuple[Draft, Choice]:
    """Return what is compared where nothing has been chosen."""
    draft, text, labels, *_ = dataset.choose(services, str(SMALL_SAMPLE))
    return draft, Choice(text["value"], tuple(labels["value"]))


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


def show(history: History, source: str = "", place: Place | None = None, stopping: bool = False) -> tuple[object, ...]:
    """Return every output for a history of rows from `source`; see `outputs` in `scenarios_tab` for their order."""
    comparison = history.comparison
    some, over = bool(comparison.rows), history.over
    learnt = comparison.learning
    return (
        _status(history, place, stopping),
        verdict.recommendation(comparison, source) if some else NOTHING,
        verdict.scores(comparison) + verdict.together(comparison) if some else "",
        gr.Column(visible=comparison.started is not None),
        drawn(plots_compare.curves(comparison)) if comparison.started else hidden(),
        drawn(plots_compare.costs(comparison)) if some else hidden(),
        gr.Column(visible=learnt is not None),
        drawn(plots_compare.learning(learnt)) if learnt else hidden(),
        verdict.more_data(learnt),
        gr.Button(visible=over),
        gr.Button(visible=not over, interactive=not stopping),
        gr.Button(visible=history.resumable),
        gr.Row(visible=over and some),
    )


def none(message: str) -> tuple[object, ...]:
    """Return every output for no comparison, with a word about why."""
    nothing = gr.update(visible=False)
    status = watch.state_line("ready", "Ready to compare", message)
    return (
        status, NOTHING, "", nothing, hidden(), hidden(), nothing, hidden(), "", gr.Button(visible=True), nothing,
        nothing, nothing,
    )  # fmt: skip


def _status(history: History, place: Place | None, stopping: bool) -> str:
    comparison = history.comparison
    if history.failed or place or comparison.started is None or history.waiting:
        return watch.status(history, place, stopping)
    made, of = len(comparison.made), len(comparison.started.attempts)
    if done := comparison.compared:
        state, title = ("stopped", "Stopped") if done.stopped else ("finished", "Finished")
        title = f"{title}, {made} of {of} attempts made"
        return watch.state_line(state, title, f"took {watch.duration(done.seconds)}", made, of)
    title, note = verdict.progress(comparison)
    if stopping:
        return watch.state_line("stopping", "Stopping", note, made, of)
    return watch.state_line("running", title, note, made, of)


def resume(services: Services, who: str, token: str | None) -> gr.Button:
    """Let a comparison that broke off go on with the first attempt that has not ended.

    Raises:
        gr.Error: it cannot go on.
    """
    controls.go_on(services, who, token)
    return gr.Button(visible=False)


def delete(services: Services, token: str | None) -> tuple[object, ...]:
    """Remove the comparison with its data now; return the token of none and what the page shows of none.

    Raises:
        gr.Error: it cannot be removed.
    """
    controls.remove(services, token)
    return None, *none("your comparison and its data are deleted")


def pack(services: Services, token: str | None) -> tuple[str, str]:
    """Write the result as one page and as JSON; return the files.

    Raises:
        gr.Error: there is none, or it cannot be written.
    """
    try:
        folder = services.runs.folder(token)
        job, data, comparison = folder.job(), folder.data(), folder.history().comparison
        page = written("comparison.html", keepsake.page(job, data, comparison).encode())
        made = json.dumps(comparison_report(job, data, comparison), indent=1, ensure_ascii=False)
        report = written("comparison.json", f"{made}\n".encode())
    except MtstError as error:
        raise gr.Error(str(error), title="No file could be made", print_exception=False) from error
    return str(page), str(report)
