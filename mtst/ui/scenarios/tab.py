"""The Scenarios tab: every scenario on the visitor's own rows, side by side, and which of them to take."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr
from gradio.blocks import Block
from markupsafe import Markup

from mtst.data.tasks import DEFAULT_TASKS
from mtst.errors import MtstError
from mtst.training.scenarios import comparable_scenarios, find_scenario
from mtst.ui.components.events import SILENT, Outputs, Update
from mtst.ui.components.html import card, html, quiet
from mtst.ui.components.live_plot import live_plot
from mtst.ui.components.templates import static_text
from mtst.ui.scenarios import comparison_view
from mtst.ui.scenarios.comparison_view import ComparisonForm, ComparisonStart, ComparisonView
from mtst.ui.server.visitors import visitor_id
from mtst.ui.services import run_controls as shared
from mtst.ui.services.services import Services
from mtst.ui.train import run_controls
from mtst.ui.train.form import dataset
from mtst.ui.train.form.form import Form
from mtst.ui.train.form.form_values import DataForm
from mtst.ui.train.run_controls import RunStopped

CURVES = "Mean macro-F1 on the validation rows against seconds, a line for each scenario; the table has the numbers"
COSTS = "Mean macro-F1 on rows not learnt from against the seconds of each scenario; the table has the numbers"
LEARNING = "Macro-F1 on rows not learnt from against the number of training rows, and where the curve leads"
SEEDS = [("Quick: one seed", 1), ("Sure: three seeds, with their spread", 3)]


@dataclass(frozen=True)
class ComparisonPanel:
    """The components of the tab, by the fields of the views that update them."""

    token: gr.BrowserState
    source: gr.HTML
    scenarios: gr.CheckboxGroup
    seeds: gr.Radio
    alone: gr.Checkbox
    race: gr.Checkbox
    begin: gr.Button
    status: gr.HTML
    stop: gr.Button
    resume: gr.Button
    answer: gr.HTML
    table: gr.HTML
    after: gr.Row
    save: gr.Button
    delete: gr.Button
    page_file: gr.DownloadButton
    json_file: gr.DownloadButton
    figures_card: gr.Column
    costs: gr.HTML
    curves: gr.HTML
    learning_card: gr.Column
    more_data: gr.HTML
    learning: gr.HTML


def _choices() -> list[tuple[str, str]]:
    keys = [key for key in comparable_scenarios(DEFAULT_TASKS) if not key.startswith(comparison_view.ONE_HEAD)]
    titles = [(find_scenario(key, DEFAULT_TASKS).title, key) for key in keys]
    return [*titles, ("Freeze one head, each in turn", comparison_view.ONE_HEAD)]


def describe_source(form: DataForm) -> Markup:
    """Return what will be compared, and what to expect of it."""
    if form.draft is None:
        return quiet(f"Nothing is chosen in the Train tab: the sample of 600 sentences is taken, with {form.encoder}.")
    source = quiet(f"{form.draft.table.name}, with the columns and the encoder of the Train tab ({form.encoder}).")
    try:
        return source + dataset.expectation_of(form.dataset())
    except MtstError:  # said in the Train tab, and when the comparison is started
        return source


def scenarios_tab(services: Services, tab: gr.Tab, steps: Form, token: gr.BrowserState) -> None:
    """Build the tab; `steps` is the form of the Train tab, whose rows are compared; `token` keeps the visitor's."""
    _connect(services, tab, _panel(services, token), steps)


def _panel(services: Services, token: gr.BrowserState) -> ComparisonPanel:
    """Build the components into the tab that is open."""
    with gr.Row(equal_height=False):
        with gr.Column(scale=4, min_width=300), card("What to compare"):
            source = html(describe_source(DataForm(encoder=services.settings.encoder)), elem_id="scenarios-data")
            scenarios = gr.CheckboxGroup(
                _choices(), value=[key for _, key in _choices()], label="Scenarios", elem_id="scenarios-keys"
            )
            seeds = gr.Radio(SEEDS, value=1, label="How often each is trained", elem_id="scenarios-seeds")
            alone = gr.Checkbox(
                value=False,
                label="Train each task alone too",
                elem_id="scenarios-alone",
                info="Tells whether learning together helps, where everything is trained.",
            )
            race = gr.Checkbox(
                value=True,
                label="Stop early what cannot win",
                elem_id="scenarios-race",
                info="Takes about 1.5 times as long as the slowest scenario alone. Without, all run to the end.",
            )
            begin = gr.Button("Compare scenarios", variant="primary", size="lg", elem_id="scenarios-start")
            status = html(comparison_view.READY, elem_id="scenarios-status")
            stop = gr.Button("Stop and keep what is there", variant="stop", visible=False, elem_id="scenarios-stop")
            resume = gr.Button("Resume", visible=False, elem_id="scenarios-resume")
        with gr.Column(scale=7, min_width=320):
            with card("What should I freeze?"):
                answer = html(comparison_view.NO_RESULT, elem_id="scenarios-answer")
                table = html(elem_id="scenarios-table")
                with gr.Row(visible=False) as after:
                    save = gr.Button("Save as one page and as JSON", elem_id="scenarios-save")
                    delete = gr.Button("Delete it and its data", elem_id="scenarios-delete")
            page_file = gr.DownloadButton("Save", visible="hidden", elem_id="scenarios-html")
            json_file = gr.DownloadButton("Save", visible="hidden", elem_id="scenarios-json")
            with card("Score against cost", visible=False) as figures_card:
                costs = live_plot(height=340, description=COSTS, elem_id="scenarios-costs")
                curves = live_plot(height=340, description=CURVES, elem_id="scenarios-curves")
            with card("Would more data help?", visible=False) as learning_card:
                more_data = html(elem_id="scenarios-more")
                learning = live_plot(height=300, description=LEARNING, elem_id="scenarios-learning")
    return ComparisonPanel(
        token, source, scenarios, seeds, alone, race, begin, status, stop, resume, answer, table, after, save, delete,
        page_file, json_file, figures_card, costs, curves, learning_card, more_data, learning,
    )  # fmt: skip


def _connect(services: Services, tab: gr.Tab, panel: ComparisonPanel, steps: Form) -> None:
    """Let the buttons control the comparison, and the cards follow it."""
    started, view = Outputs(ComparisonStart, panel), Outputs(ComparisonView, panel)
    stopped = Outputs(RunStopped, panel)
    follow = view.following(partial(comparison_view.follow_comparison, services), panel.token)

    def start(
        request: gr.Request,
        scenarios: list[str],
        seeds: int,
        alone: bool,  # noqa: FBT001 (Gradio's order)
        race: bool,  # noqa: FBT001
        **data: Any,
    ) -> ComparisonStart:
        form = ComparisonForm(DataForm(**data), scenarios, seeds, alone, race)
        return comparison_view.start_comparison(services, visitor_id(request), form)

    def describe(**data: Any) -> Markup:
        return describe_source(DataForm(**data))

    def resume(request: gr.Request, token: str | None) -> Update:
        shared.resume_run(services, visitor_id(request), token)
        return gr.update(visible=False)

    def delete(token: str | None) -> dict[Block, Any]:
        shared.delete_run(services, token)
        gone = comparison_view.no_comparison("your comparison and its data are deleted")
        return {panel.token: None, **view.updates(gone)}

    panel.begin.click(
        started.by_name(start),
        [panel.scenarios, panel.seeds, panel.alone, panel.race],
        started.components,
        inputs_kwargs=steps.data,
        **SILENT,
    ).success(**follow)
    tab.select(**follow)
    tab.select(describe, None, panel.source, inputs_kwargs=steps.data, **SILENT)
    panel.stop.click(
        stopped.by_name(partial(run_controls.stop_run, services)),
        panel.token,
        stopped.components,
        queue=False,
        **SILENT,
    )
    panel.resume.click(resume, panel.token, panel.resume, **SILENT).success(**follow)
    panel.delete.click(delete, panel.token, [panel.token, *view.components], **SILENT)
    panel.save.click(
        partial(comparison_view.save_comparison, services),
        panel.token,
        [panel.page_file, panel.json_file],
        concurrency_limit=1,
        concurrency_id="files",
        **SILENT,
    ).success(None, None, None, js=static_text("save_comparison.js"))
