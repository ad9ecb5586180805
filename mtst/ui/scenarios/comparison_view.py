"""What the Scenarios tab does: put a comparison in the queue, follow it, save its result."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

import gradio as gr

from mtst.assets import SMALL_SAMPLE
from mtst.comparison.estimate import remaining_seconds
from mtst.comparison.events import check_comparison
from mtst.data.dataset import Dataset
from mtst.data.tasks import Task
from mtst.errors import MtstError, RunError
from mtst.model.layer_groups import HEAD
from mtst.runs.history import History
from mtst.runs.job import Job
from mtst.runs.queue import QueuePosition
from mtst.runs.report import build_comparison_report
from mtst.training.config import TrainConfig
from mtst.training.scenarios import comparable_scenarios
from mtst.ui.components import run_status
from mtst.ui.components.events import UNCHANGED, Update
from mtst.ui.components.html import empty
from mtst.ui.components.live_plot import hide_figure, show_figure
from mtst.ui.plots import comparison as comparison_plots
from mtst.ui.scenarios import html_report, recommendation
from mtst.ui.server.temporary_files import write_file
from mtst.ui.services.services import Services
from mtst.ui.train.form import chosen_file, dataset
from mtst.ui.train.form.form_values import DataForm
from mtst.ui.train.form.hyperparameters import explain_setting_error

ONE_HEAD = f"freeze-{HEAD}"  # stands for freezing the head of each task in turn
ALONE_SCENARIO = "train-all"  # the scenario in which each task is also trained alone
READY = run_status.state_line("ready", "Ready to compare", "each scenario in turn, from the same start")
NO_RESULT = empty(
    "Which scenario suits your data?",
    "Every ticked scenario is trained on the same rows and judged by the same others. The answer comes here.",
)


@dataclass(frozen=True, eq=False)
class ComparisonForm:
    """What to compare, and how.

    `scenarios` are those ticked; `alone`: each task is trained alone too; `race`: what cannot win is stopped early.
    """

    data: DataForm
    scenarios: Sequence[str]
    seeds: int
    alone: bool
    race: bool = True


@dataclass(frozen=True)
class ComparisonStart:
    """A new comparison: its token and status, without the button that started it."""

    token: str
    status: str
    begin: Update


@dataclass(frozen=True)
class ComparisonView:
    """Everything that the page shows of a comparison."""

    status: str = UNCHANGED
    answer: str = UNCHANGED
    table: str = UNCHANGED
    figures_card: Update = UNCHANGED
    curves: Update = UNCHANGED
    costs: Update = UNCHANGED
    learning_card: Update = UNCHANGED
    learning: Update = UNCHANGED
    more_data: str = UNCHANGED
    begin: Update = UNCHANGED
    stop: Update = UNCHANGED
    resume: Update = UNCHANGED
    after: Update = UNCHANGED


def expand_scenarios(ticked: Sequence[str], tasks: Sequence[Task]) -> tuple[str, ...]:
    """Return the keys of the scenarios that are ticked; `ONE_HEAD` stands for one of each task."""
    return tuple(
        key for key in comparable_scenarios(tasks) if key in ticked or (key.startswith(ONE_HEAD) and ONE_HEAD in ticked)
    )


def as_comparison(
    job: Job, data: Dataset, scenarios: Sequence[str], seeds: int, *, alone: bool, race: bool = True
) -> Job:
    """Return the job of comparing scenarios on the data of a job; with `alone` each task is also trained alone.

    With `race`, scenarios that cannot win any more are stopped early.

    Raises:
        SettingsError: there is nothing to compare, or no such scenario.
    """
    alone_scenario = ALONE_SCENARIO if alone else None
    check_comparison(scenarios, seeds, data.tasks, alone_scenario)
    return replace(job, kind="compare", scenarios=tuple(scenarios), seeds=seeds, alone=alone_scenario, race=race)


def start_comparison(services: Services, visitor: str, form: ComparisonForm) -> ComparisonStart:
    """Put a comparison in the queue; without a file it compares on the sample.

    Raises:
        gr.Error: it cannot be started.
    """
    try:
        rows = form.data if form.data.draft else sample_form(services, form.data.encoder)
        data = rows.dataset()
        job = dataset.build_job(services, rows, data.tasks, TrainConfig(), kind="compare")
        scenarios = expand_scenarios(form.scenarios, data.tasks)
        job = as_comparison(job, data, scenarios, form.seeds, alone=form.alone, race=form.race)
        token = services.runs.submit(job, data, visitor)
    except MtstError as error:
        raise gr.Error(explain_setting_error(str(error)), title="Cannot compare yet", print_exception=False) from error
    return ComparisonStart(token, run_status.status(History()), gr.update(visible=False))


def sample_form(services: Services, encoder: str = "") -> DataForm:
    """Return the rows that are compared on where no file is chosen."""
    file = chosen_file.read_file(services, str(SMALL_SAMPLE))
    return DataForm(file.draft, file.text["value"], file.labels["value"], encoder=encoder)


async def follow_comparison(services: Services, token: str | None) -> AsyncIterator[ComparisonView]:
    """Yield the view of a comparison whenever its history grows, until it is over."""
    try:
        folder = services.runs.folder(token)
        token, source = folder.path.name, folder.job().source
    except RunError:
        yield ComparisonView()  # an unknown token leaves the page as it is
        return
    try:
        async for history in services.runs.follow(token):
            position, stopping = services.runs.position(token), folder.stop_requested
            yield await asyncio.to_thread(show_comparison, history, source, position, stopping=stopping)  # it computes
    except RunError:
        yield no_comparison("the comparison that was shown here is gone")


def show_comparison(
    history: History, source: str = "", position: QueuePosition | None = None, *, stopping: bool = False
) -> ComparisonView:
    """Return the view of a comparison on rows from the file `source`."""
    comparison = history.comparison
    has_rows, over, curve = bool(comparison.results), history.is_over, comparison.learning_curve
    tables = recommendation.scores_table(comparison) + recommendation.joint_training(comparison)
    return ComparisonView(
        status=_status(history, position, stopping=stopping),
        answer=recommendation.recommendation(comparison, source) if has_rows else NO_RESULT,
        table=tables if has_rows else "",
        figures_card=gr.update(visible=comparison.has_started),
        curves=show_figure(comparison_plots.curves(comparison)) if comparison.has_started else hide_figure(),
        costs=show_figure(comparison_plots.costs(comparison)) if has_rows else hide_figure(),
        learning_card=gr.update(visible=curve is not None),
        learning=show_figure(comparison_plots.learning(curve)) if curve else hide_figure(),
        more_data=recommendation.more_data(curve),
        begin=gr.update(visible=over),
        stop=gr.update(visible=not over, interactive=not stopping),
        resume=gr.update(visible=history.is_resumable),
        after=gr.update(visible=over and has_rows),
    )


def no_comparison(message: str) -> ComparisonView:
    """Return the view of no comparison, with the reason."""
    hidden = gr.update(visible=False)
    return ComparisonView(
        status=run_status.state_line("ready", "Ready to compare", message),
        answer=NO_RESULT,
        table="",
        figures_card=hidden,
        curves=hide_figure(),
        costs=hide_figure(),
        learning_card=hidden,
        learning=hide_figure(),
        more_data="",
        begin=gr.update(visible=True),
        stop=hidden,
        resume=hidden,
        after=hidden,
    )


def _status(history: History, position: QueuePosition | None, *, stopping: bool) -> str:
    comparison = history.comparison
    if history.has_failed or position or not comparison.has_started or history.is_waiting:
        return run_status.status(history, position, stopping=stopping)
    completed, total = len(comparison.completed), len(comparison.attempts)
    if comparison.is_over:
        state, title = ("stopped", "Stopped") if not comparison.is_complete else ("finished", "Finished")
        title = f"{title}, {completed} of {total} attempts made"
        return run_status.state_line(
            state, title, f"took {run_status.format_duration(comparison.seconds)}", completed, total
        )
    title, note = recommendation.progress(comparison)
    left = remaining_seconds(comparison)
    if left is not None:
        note += f", about {run_status.format_duration(max(1, left))} to go"
    if stopping:
        return run_status.state_line("stopping", "Stopping", note, completed, total)
    return run_status.state_line("running", title, note, completed, total)


def save_comparison(services: Services, token: str | None) -> tuple[str, str]:
    """Write the result as one page and as JSON; return the paths of the files.

    Raises:
        gr.Error: there is none, or it cannot be written.
    """
    try:
        folder = services.runs.folder(token)
        job, data, comparison = folder.job(), folder.data(), folder.history().comparison
        page = write_file("comparison.html", html_report.html_report(job, data, comparison).encode())
        report = json.dumps(build_comparison_report(job, data, comparison), indent=1, ensure_ascii=False)
        json_file = write_file("comparison.json", f"{report}\n".encode())
    except MtstError as error:
        raise gr.Error(str(error), title="No file could be made", print_exception=False) from error
    return str(page), str(json_file)
