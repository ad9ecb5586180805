"""The Train tab: the form on the left, the run on the right."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr
from gradio.blocks import Block

from mtst.ui.components import run_status
from mtst.ui.components.clickable import answer_area, clickable_html
from mtst.ui.components.events import SILENT, Event, Outputs
from mtst.ui.components.html import card, html
from mtst.ui.components.live_plot import live_plot
from mtst.ui.components.server_load import server_load
from mtst.ui.components.templates import static_text
from mtst.ui.server.browser_state import BrowserTokens
from mtst.ui.server.visitors import visitor_id
from mtst.ui.services.model_data import TRAINED
from mtst.ui.services.services import Services
from mtst.ui.train import run_controls, run_view
from mtst.ui.train.form.form import Form, form
from mtst.ui.train.form.form_values import TrainingForm
from mtst.ui.train.model_download import DownloadView, pack_model
from mtst.ui.train.results import error_analysis, score_tables
from mtst.ui.train.results.embedding_changes import EmbeddingEvents, embedding_changes_card
from mtst.ui.train.results.error_analysis import ErrorsView
from mtst.ui.train.run_controls import RunControls, RunStopped
from mtst.ui.train.run_view import RunView

PLOT_DESCRIPTION = (
    "Loss of each task on train and validation rows and macro-F1 on validation rows, by epoch, with the baselines as "
    "dashed lines; the scores below hold the same in numbers"
)


@dataclass(frozen=True)
class RunPanel:
    """The components of the right side, by the fields of the views that update them."""

    run: gr.BrowserState
    drawing: gr.HTML
    begin: gr.Button
    status: gr.HTML
    stop: gr.Button
    resume: gr.Button
    delete: gr.Button
    confirm: gr.Button
    look_again: gr.Button
    placeholder: gr.HTML
    plot: gr.HTML
    schedule_card: gr.Column
    schedule: gr.HTML
    scores: gr.HTML
    matrices_card: gr.Column
    matrices: gr.HTML
    cell: gr.HTML
    errors: gr.HTML
    summary_card: gr.Column
    summary: gr.HTML
    rescued: gr.HTML
    use: gr.Button
    pack: gr.Button
    onnx: gr.Checkbox
    download: gr.DownloadButton
    packing: gr.HTML


def train_tab(services: Services, demo: gr.Blocks, tokens: BrowserTokens, tabs: gr.Tabs, model: gr.Radio) -> Form:
    """Build the tab; return its form. `model` is the choice of model in the Predict tab."""
    begin = gr.Button(
        "Start training", variant="primary", size="lg", interactive=False, elem_id="train-start", render=False
    )
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320):
            steps = form(services, demo, begin, tokens)
        with gr.Column(scale=6, min_width=320, elem_classes="side"):
            panel = _run_panel(services, tokens.run, steps.drawing, begin)
            changes = embedding_changes_card(services, tokens.run)
    _connect(services, demo, panel, steps, tokens.model, changes)
    panel.use.click(lambda: (gr.update(selected="predict"), TRAINED), None, [tabs, model], **SILENT)
    return steps


def _limits(services: Services) -> str:
    limits = services.settings
    return (
        f"up to {limits.max_minutes:g} minutes and {limits.max_memory_gb:g} GB; {limits.max_runs_waiting} at once and "
        f"{limits.max_runs_an_hour} an hour for each visitor; kept {limits.run_ttl_hours:g} hours"
    )


def _run_panel(services: Services, run: gr.BrowserState, drawing: gr.HTML, begin: gr.Button) -> RunPanel:
    """Build the cards of a run into the column that is open."""
    with card("This run", note=_limits(services)):
        status = html(run_status.idle_status("your run will be shown here"), elem_id="train-status")
        begin.render()
        stop = gr.Button("Stop and keep the best model", variant="stop", size="lg", visible=False, elem_id="train-stop")
        with gr.Row():
            resume = gr.Button("Resume", visible=False, elem_id="train-resume")
            delete = gr.Button("Delete this run and its data", visible=False, elem_id="train-delete")
            confirm = gr.Button("Yes, delete it now", variant="stop", visible=False, elem_id="train-delete-sure")
        server_load(elem_id="train-server")
        look_again = gr.Button("Look again", visible="hidden", elem_id="train-look")
    with card("Loss and macro-F1", note="drag to zoom, double-click to reset"):
        placeholder = html(run_view.NO_LOSS)
        plot = live_plot(height=560, description=PLOT_DESCRIPTION, elem_id="train-loss")
    with card("Layers, epoch by epoch", visible=False) as schedule_card:
        schedule = html(elem_id="train-openings")
    with card("Scores"):
        scores = html(score_tables.NO_SCORES, elem_id="train-scores")
    with card("What was taken for what", note="held-out rows, the model that is kept", visible=False) as matrices_card:
        matrices = clickable_html(elem_id="train-mistakes")
        cell = answer_area(elem_id="train-cell")
        errors = html(elem_id="train-errors")
    with card("What happened", visible=False) as summary_card:
        summary = html(elem_id="train-story")
        rescued = html(elem_id="train-rescued")
        with gr.Row():
            use = gr.Button("Use it in Predict", elem_id="train-use")
            pack = gr.Button("Prepare the download", elem_id="train-pack")
        onnx = gr.Checkbox(value=False, label="As ONNX too, which takes a moment", elem_id="train-onnx")
        download = gr.DownloadButton("Save", visible=False, variant="primary", elem_id="train-download")
        packing = html(visible=False)
    return RunPanel(
        run, drawing, begin, status, stop, resume, delete, confirm, look_again, placeholder, plot, schedule_card,
        schedule, scores, matrices_card, matrices, cell, errors, summary_card, summary, rescued, use, pack, onnx,
        download, packing,
    )  # fmt: skip


def _connect(
    services: Services,
    demo: gr.Blocks,
    panel: RunPanel,
    steps: Form,
    uploaded_model: gr.BrowserState,
    changes: EmbeddingEvents,
) -> None:
    """Let the buttons control the run, and the cards follow it."""
    controls, view = Outputs(RunControls, panel), Outputs(RunView, panel)
    errors, download = Outputs(ErrorsView, panel), Outputs(DownloadView, panel)
    stopped = Outputs(RunStopped, panel)
    follow: Event = {
        "fn": view.by_name(partial(run_view.follow_run, services)),
        "inputs": panel.run,
        "outputs": view.components,
        "concurrency_limit": None,
        **SILENT,
    }
    examine: Event = {
        "fn": errors.by_name(partial(error_analysis.examine_run, services)),
        "inputs": panel.run,
        "outputs": errors.components,
        **SILENT,
    }

    def start(request: gr.Request, start: str, uploaded: str | None, **values: Any) -> RunControls:
        form = TrainingForm.from_inputs(values)
        return run_controls.start_run(services, visitor_id(request), form, start, uploaded)

    def resume(request: gr.Request, token: str | None) -> RunControls:
        return run_controls.resume_run(services, visitor_id(request), token)

    def delete(token: str | None) -> dict[Block, Any]:
        deleted = controls.updates(run_controls.delete_run(services, token))
        return view.updates(run_view.no_run("your run, its data and its model are deleted")) | deleted

    def read_cell(token: str | None, event: gr.EventData) -> Iterator[str]:
        yield from error_analysis.cell_sentences(services, token, event.key)

    def pack(token: str | None, onnx: bool) -> Iterator[DownloadView]:  # noqa: FBT001 (Gradio's order)
        yield from pack_model(services, token, onnx=onnx)

    def follow_after(event: gr.events.Dependency) -> gr.events.Dependency:
        """Follow the run once it has been put in the queue, and show its results once it is over."""
        return show_results(event.success(**follow))

    def show_results(event: gr.events.Dependency) -> gr.events.Dependency:
        return event.then(**examine).then(**changes.open).then(**changes.draw)

    follow_after(
        panel.begin.click(
            controls.by_name(start),
            [steps.start, uploaded_model],
            controls.components,
            inputs_kwargs=steps.data | steps.config,
            **SILENT,
        )
    )
    follow_after(panel.resume.click(controls.by_name(resume), panel.run, controls.components, **SILENT))
    show_results(gr.on([demo.load, panel.look_again.click], **follow))
    demo.load(None, None, None, js=static_text("look_again.js"))
    panel.stop.click(
        stopped.by_name(partial(run_controls.stop_run, services)), panel.run, stopped.components, queue=False, **SILENT
    )
    panel.delete.click(
        lambda: (gr.update(visible=False), gr.update(visible=True)), None, [panel.delete, panel.confirm], **SILENT
    )
    outputs = list(dict.fromkeys([*controls.components, *view.components]))
    panel.confirm.click(delete, panel.run, outputs, **SILENT).then(**examine).then(**changes.open)
    panel.matrices.select(read_cell, panel.run, panel.cell, **SILENT, trigger_mode="always_last")
    panel.pack.click(
        download.by_name(pack), [panel.run, panel.onnx], download.components, concurrency_limit=8, **SILENT
    )  # fmt: skip
