"""The Scenarios tab: every scenario on the visitor's own rows, side by side, and which of them to take."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr
from gradio.blocks import Block

from mtst.data.tasks import DEFAULT_TASKS
from mtst.training.scenarios import comparable_scenarios, find_scenario
from mtst.ui.components.events import SILENT, Outputs, Update
from mtst.ui.components.html import card, html, quiet
from mtst.ui.components.live_plot import live_plot
from mtst.ui.components.share_card import hide_card, share_card
from mtst.ui.components.templates import render, static_text
from mtst.ui.scenarios import comparison_card, comparison_start, comparison_view
from mtst.ui.scenarios.comparison_start import ComparisonForm, ComparisonPlan, ComparisonStart
from mtst.ui.scenarios.comparison_view import ComparisonView
from mtst.ui.server.browser_state import BrowserTokens
from mtst.ui.server.visitors import visitor_id
from mtst.ui.services import run_controls as shared
from mtst.ui.services.services import Services
from mtst.ui.train import run_controls
from mtst.ui.train.form.form import Form
from mtst.ui.train.form.form_values import DataForm
from mtst.ui.train.run_controls import RunStopped

CURVES = "Mean macro-F1 on the validation rows against seconds, a line for each scenario; the table has the numbers"
COSTS = "Mean macro-F1 on held-out rows against the seconds of each scenario; the table has the numbers"
LEARNING = "Macro-F1 on held-out rows against the number of training rows, and where the curve leads"
SEEDS = [("Quick (1 seed)", 1), ("Thorough (3 seeds)", 3)]
AFTER = "A comparison keeps no models. Train the winner on the same rows to try and download it."


@dataclass(frozen=True)
class ComparisonPanel:
    """The components of the tab, by the fields of the views that update them."""

    token: gr.BrowserState
    # the bar that stays in sight
    status: gr.HTML
    begin: gr.Button
    stop: gr.Button
    resume: gr.Button
    # what is recommended
    winner_card: gr.Column
    answer: gr.HTML
    after: gr.Column
    train: gr.Button
    save: gr.Button
    share: gr.Button
    delete: gr.Button
    card: gr.HTML
    page_file: gr.DownloadButton
    json_file: gr.DownloadButton
    # all scenarios
    results_card: gr.Column
    ranked: gr.HTML
    table: gr.HTML
    figures_card: gr.Column
    costs: gr.HTML
    curves: gr.HTML
    learning_card: gr.Column
    more_data: gr.HTML
    learning: gr.HTML
    # what to compare
    setup: gr.Accordion
    source: gr.HTML
    scenarios: gr.CheckboxGroup
    seeds: gr.Radio
    alone: gr.Checkbox
    race: gr.Checkbox


def _choices() -> list[tuple[str, str]]:
    keys = [key for key in comparable_scenarios(DEFAULT_TASKS) if not key.startswith(comparison_start.ONE_HEAD)]
    titles = [(find_scenario(key, DEFAULT_TASKS).title, key) for key in keys]
    return [*titles, ("Freeze one head, each in turn", comparison_start.ONE_HEAD)]


def scenarios_tab(services: Services, tab: gr.Tab, steps: Form, tokens: BrowserTokens, tabs: gr.Tabs) -> None:
    """Build the tab; `steps` is the form of the Train tab, whose rows are compared."""
    panel = _panel(tokens.comparison)
    _connect(services, tab, panel, steps, tokens.run)

    def train_winner(request: gr.Request, token: str | None) -> tuple[object, object]:
        if not services.presses.is_first(f"winner {request.session_hash}"):
            return gr.skip(), gr.skip()
        return comparison_start.train_winner(services, visitor_id(request), token), gr.update(selected="train")

    panel.train.click(train_winner, panel.token, [tokens.run, tabs], **SILENT).success(
        None, None, None, js=static_text("open_run.js")
    )


def _panel(token: gr.BrowserState) -> ComparisonPanel:
    """Build the components into the tab that is open."""
    with gr.Column(elem_classes="card runbar"), gr.Row(equal_height=False, elem_classes="runbar-row"):
        status = html(comparison_view.READY, elem_id="scenarios-status", min_width=200)
        begin = gr.Button(comparison_start.START, variant="primary", elem_id="scenarios-start", min_width=130, scale=0)
        stop = gr.Button(
            "Stop and keep results", variant="stop", visible=False, elem_id="scenarios-stop", min_width=130, scale=0
        )
        resume = gr.Button("Resume", visible=False, elem_id="scenarios-resume", min_width=90, scale=0)
    with gr.Column(visible=False, elem_classes="card") as winner_card:
        answer = html(elem_id="scenarios-answer")
        with gr.Column(visible=False) as after:
            with gr.Row(elem_classes="acts"):
                train = gr.Button("Train it", variant="primary", elem_id="scenarios-train", min_width=150, scale=0)
                save = gr.Button("Export report", elem_id="scenarios-save", min_width=120, scale=0)
                share = gr.Button("Share card", elem_id="scenarios-share", min_width=100, scale=0)
                delete = gr.Button("Delete comparison", elem_id="scenarios-delete", min_width=140, scale=0)
            html(quiet(AFTER))
            card_to_share = share_card(elem_id="scenarios-card")
    page_file = gr.DownloadButton("Save", visible="hidden", elem_id="scenarios-html")
    json_file = gr.DownloadButton("Save", visible="hidden", elem_id="scenarios-json")
    with gr.Row(equal_height=False, elem_classes="split"):
        with gr.Column(scale=7, min_width=320):
            with gr.Column(visible=False, elem_classes="card") as results_card:
                html(render("components/card_title", title="Scenarios", number=None, note="the best first"))
                ranked = html(elem_id="scenarios-ranking")
                with gr.Accordion("All numbers", open=False, elem_classes="plain", elem_id="scenarios-numbers"):
                    table = html(elem_id="scenarios-table")
            with card("Would more data help?", visible=False) as learning_card:
                more_data = html(elem_id="scenarios-more")
                learning = live_plot(height=260, description=LEARNING, elem_id="scenarios-learning")
        with gr.Column(scale=5, min_width=320, visible=False, elem_classes="card") as figures_card:
            html(render("components/card_title", title="Score vs. time", number=None, note=""))
            costs = live_plot(height=340, description=COSTS, elem_id="scenarios-costs")
            html("<h3 class='caption'>During training</h3>")
            curves = live_plot(height=300, description=CURVES, elem_id="scenarios-curves")
    with (
        gr.Accordion("What to compare", open=True, elem_classes="card setup", elem_id="scenarios-setup") as setup,
        gr.Row(equal_height=False),
    ):
        with gr.Column(scale=6, min_width=300):
            source = html(elem_id="scenarios-data")
            scenarios = gr.CheckboxGroup(
                _choices(), value=[key for _, key in _choices()], label="Scenarios", elem_id="scenarios-keys"
            )
        with gr.Column(scale=5, min_width=300):
            seeds = gr.Radio(SEEDS, value=1, label="Seeds per scenario", elem_id="scenarios-seeds")
            race = gr.Checkbox(
                value=True,
                label="Stop losing scenarios early",
                elem_id="scenarios-race",
                info="The whole comparison then takes about 1.5 times as long as the slowest scenario.",
            )
            alone = gr.Checkbox(
                value=False,
                label="Also train each task alone",
                elem_id="scenarios-alone",
                info="Shows whether joint training helps when everything is trained.",
            )
    return ComparisonPanel(
        token, status, begin, stop, resume, winner_card, answer, after, train, save, share, delete,
        card_to_share, page_file, json_file,
        results_card, ranked, table, figures_card, costs, curves, learning_card, more_data, learning, setup, source,
        scenarios, seeds, alone, race,
    )  # fmt: skip


def _connect(services: Services, tab: gr.Tab, panel: ComparisonPanel, steps: Form, run: gr.BrowserState) -> None:
    """Let the buttons control the comparison, and the cards follow it; `run` is that of the Train tab."""
    started, view = Outputs(ComparisonStart, panel), Outputs(ComparisonView, panel)
    stopped = Outputs(RunStopped, panel)
    follow = view.following(partial(comparison_view.follow_comparison, services), panel.token)

    def start(
        request: gr.Request,
        scenarios: list[str],
        seeds: int,
        alone: bool,  # noqa: FBT001 (Gradio's order)
        race: bool,  # noqa: FBT001
        run: str | None,
        **data: Any,
    ) -> ComparisonStart:
        form = ComparisonForm(DataForm(**data), scenarios, seeds, alone, race)
        return comparison_start.start_comparison(services, visitor_id(request), form, run)

    plan = Outputs(ComparisonPlan, panel)

    def describe(
        scenarios: list[str],
        seeds: int,
        alone: bool,  # noqa: FBT001 (Gradio's order)
        race: bool,  # noqa: FBT001
        run: str | None,
        **data: Any,
    ) -> ComparisonPlan:
        form = ComparisonForm(DataForm(**data), scenarios, seeds, alone, race)
        return comparison_start.describe_plan(services, form, run)

    def resume(request: gr.Request, token: str | None) -> Update:
        shared.resume_run(services, visitor_id(request), token)
        return gr.update(visible=False)

    def delete(token: str | None) -> dict[Block, Any]:
        shared.delete_run(services, token)
        gone = comparison_view.no_comparison("your comparison and its data are deleted")
        return {panel.token: None, **view.updates(gone)}

    panel.begin.click(
        started.by_name(start),
        [panel.scenarios, panel.seeds, panel.alone, panel.race, run],
        started.components,
        inputs_kwargs=steps.data,
        **SILENT,
    ).success(**follow)
    tab.select(**follow)
    choices = [panel.scenarios, panel.seeds, panel.alone, panel.race, run]
    ticked = [panel.scenarios.input, panel.seeds.input, panel.alone.input, panel.race.input]
    gr.on(
        [tab.select, *ticked],
        plan.by_name(describe),
        choices,
        plan.components,
        inputs_kwargs=steps.data,
        trigger_mode="always_last",
        **SILENT,
    )
    panel.stop.click(
        stopped.by_name(partial(run_controls.stop_run, services)),
        panel.token,
        stopped.components,
        queue=False,
        **SILENT,
    )
    panel.resume.click(resume, panel.token, panel.resume, **SILENT).success(**follow)
    panel.delete.click(delete, panel.token, [panel.token, *view.components], **SILENT)
    panel.share.click(partial(comparison_card.share_comparison, services), panel.token, panel.card, **SILENT)
    panel.card.select(hide_card, None, panel.card, **SILENT)
    panel.save.click(
        partial(comparison_view.save_comparison, services),
        panel.token,
        [panel.page_file, panel.json_file],
        concurrency_limit=1,
        concurrency_id="files",
        **SILENT,
    ).success(None, None, None, js=static_text("save_comparison.js"))
