"""What the Scenarios tab does: put a comparison in the queue, follow it, save its result."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import gradio as gr

from mtst.comparison.estimate import remaining_seconds
from mtst.comparison.recommendation import recommend
from mtst.errors import MtstError, RunError
from mtst.runs.history import History
from mtst.runs.queue import QueuePosition
from mtst.runs.report import build_comparison_report
from mtst.text import inline_text
from mtst.training.scenarios import find_scenario
from mtst.ui.components import run_status
from mtst.ui.components.events import UNCHANGED, Update
from mtst.ui.components.live_plot import hide_figure, show_figure
from mtst.ui.components.share_card import hide_card
from mtst.ui.plots import comparison as comparison_plots
from mtst.ui.scenarios import html_report, recommendation
from mtst.ui.scenarios.pictures import scenario_pictures
from mtst.ui.scenarios.ranking import Pictures, ranking
from mtst.ui.scenarios.recommendation import NO_PICTURES
from mtst.ui.server.temporary_files import write_file
from mtst.ui.services.services import Services

READY = run_status.state_line("ready", "Ready to compare", "each scenario in turn, from the same start")


@dataclass(frozen=True)
class ComparisonView:
    """Everything that the page shows of a comparison."""

    status: str = UNCHANGED
    winner_card: Update = UNCHANGED
    answer: str = UNCHANGED
    train: Update = UNCHANGED
    card: Update = UNCHANGED
    results_card: Update = UNCHANGED
    ranked: str = UNCHANGED
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
    setup: Update = UNCHANGED


async def follow_comparison(services: Services, token: str | None) -> AsyncIterator[ComparisonView]:
    """Yield the view of a comparison whenever its history grows, until it is over."""
    try:
        folder = services.runs.folder(token)
        token, job = folder.path.name, folder.job()
    except RunError:
        yield ComparisonView()  # an unknown token leaves the page as it is
        return
    pictures: Pictures = {}
    first = True
    try:
        async for history in services.runs.follow(token):
            position, stopping = services.runs.position(token), folder.stop_requested
            pictures = pictures or await asyncio.to_thread(scenario_pictures, services, job, history.comparison)
            view = await asyncio.to_thread(  # it computes
                show_comparison, history, job.source, position, stopping=stopping, pictures=pictures, first=first
            )
            if not folder.path.exists():  # deleted meanwhile, and the page shows that
                yield ComparisonView()
                return
            yield view
            first = False
    except RunError:
        yield no_comparison("the comparison that was shown here is gone")


def show_comparison(
    history: History,
    source: str = "",
    position: QueuePosition | None = None,
    *,
    stopping: bool = False,
    pictures: Pictures = NO_PICTURES,
    first: bool = True,
) -> ComparisonView:
    """Return the view of a comparison on rows from the file `source`; the `first` one closes the setup."""
    comparison = history.comparison
    has_rows, over, curve = bool(comparison.results), history.is_over, comparison.learning_curve
    tables = recommendation.scores_table(comparison) + recommendation.joint_training(comparison)
    advice = recommend(comparison) if has_rows else None
    title = find_scenario(advice.chosen.scenario, comparison.tasks).title if advice else ""
    return ComparisonView(
        status=_status(history, position, stopping=stopping),
        winner_card=gr.update(visible=has_rows),
        answer=recommendation.recommendation(comparison, source, pictures) if has_rows else "",
        train=gr.update(value=f"Train “{inline_text(title, 50)}”", visible=over and advice is not None),
        card=hide_card() if first else UNCHANGED,
        results_card=gr.update(visible=comparison.has_started),
        ranked=ranking(comparison, pictures),
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
        setup=gr.update(open=False) if first else UNCHANGED,
    )


def no_comparison(message: str) -> ComparisonView:
    """Return the view of no comparison, with the reason."""
    hidden = gr.update(visible=False)
    return ComparisonView(
        status=run_status.state_line("ready", "Ready to compare", message),
        winner_card=hidden,
        answer="",
        train=hidden,
        card=hide_card(),
        results_card=hidden,
        ranked="",
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
        setup=gr.update(open=True),
    )


def _status(history: History, position: QueuePosition | None, *, stopping: bool) -> str:
    comparison = history.comparison
    if history.has_failed or position or not comparison.has_started or history.is_waiting:
        return run_status.status(history, position, stopping=stopping)
    completed, total = len(comparison.completed), len(comparison.attempts)
    if comparison.is_over:
        state, title = ("stopped", "Stopped") if not comparison.is_complete else ("finished", "Finished")
        title = f"{title}, {completed} of {total} runs completed"
        return run_status.state_line(
            state, title, f"took {run_status.format_duration(comparison.seconds)}", completed, total
        )
    title, note = recommendation.progress(comparison)
    left = remaining_seconds(comparison)
    if left is not None:
        note += f", about {run_status.rough_duration(left)} to go"
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
        pictures = scenario_pictures(services, job, comparison)
        page = write_file("comparison.html", html_report.html_report(job, data, comparison, pictures).encode())
        report = json.dumps(build_comparison_report(job, data, comparison), indent=1, ensure_ascii=False)
        json_file = write_file("comparison.json", f"{report}\n".encode())
    except MtstError as error:
        raise gr.Error(str(error), title="No file could be made", print_exception=False) from error
    return str(page), str(json_file)
