"""The Train tab: the run with its result on top, what the next run will do below."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import gradio as gr
from gradio.blocks import Block

from mtst.ui.components.events import SILENT, Event, Outputs
from mtst.ui.components.share_card import hide_card
from mtst.ui.components.templates import static_text
from mtst.ui.server.browser_state import BrowserTokens
from mtst.ui.server.visitors import visitor_id
from mtst.ui.services.services import Services
from mtst.ui.train import run_controls, run_list, run_view
from mtst.ui.train.following import DELETED, follow_last, follow_other
from mtst.ui.train.form.form import Form, form
from mtst.ui.train.form.form_values import TrainingForm
from mtst.ui.train.model_download import DownloadView, pack_model
from mtst.ui.train.results import error_analysis, run_card
from mtst.ui.train.results.error_analysis import ErrorsView
from mtst.ui.train.run_controls import RunControls, RunStopped
from mtst.ui.train.run_list import RunListView
from mtst.ui.train.run_panel import RunPanel, run_panel
from mtst.ui.train.run_view import RunView


def train_tab(services: Services, demo: gr.Blocks, tokens: BrowserTokens, tabs: gr.Tabs) -> tuple[Form, gr.Button]:
    """Build the tab; return its form, and the button that takes a run's model to the Predict tab."""
    panel = run_panel(services, tokens)
    with panel.setup:
        steps = form(services, demo, panel.begin, panel.ahead, tokens)
    _connect(services, demo, panel, steps, tokens.model)
    panel.compare.click(lambda: gr.update(selected="scenarios"), None, tabs, **SILENT)
    return steps, panel.use


def _connect(
    services: Services, demo: gr.Blocks, panel: RunPanel, steps: Form, uploaded_model: gr.BrowserState
) -> None:
    """Let the buttons control the run, and the cards follow it."""
    controls, view = Outputs(RunControls, panel), Outputs(RunView, panel)
    errors, download = Outputs(ErrorsView, panel), Outputs(DownloadView, panel)
    stopped, changes = Outputs(RunStopped, panel), panel.changes
    listed = Outputs(RunListView, panel)

    tokens = [panel.run, panel.runs]
    follow: Event = {**view.following(follow_last(services), panel.run), "inputs": tokens}
    switch: Event = {**view.following(follow_other(services), panel.run), "inputs": [*tokens, panel.turn]}
    list_runs: Event = {
        "fn": listed.by_name(partial(run_list.show_runs, services)),
        "inputs": [panel.runs, panel.run],
        "outputs": listed.components,
        **SILENT,
    }
    examine: Event = {
        "fn": errors.by_name(partial(error_analysis.examine_run, services)),
        "inputs": panel.run,
        "outputs": errors.components,
        **SILENT,
    }

    def start(request: gr.Request, start: str, uploaded: str | None, shown: str | None, **values: Any) -> RunControls:
        form, page = TrainingForm.from_inputs(values), request.session_hash or ""
        return run_controls.start_run(services, visitor_id(request), form, start, uploaded, page, shown)

    def resume(request: gr.Request, token: str | None) -> RunControls:
        return run_controls.resume_run(services, visitor_id(request), token)

    def delete(token: str | None) -> dict[Block, Any]:
        deleted = controls.updates(run_controls.delete_run(services, token))
        return view.updates(run_view.no_run(DELETED)) | deleted

    def read_cell(token: str | None, event: gr.EventData) -> Iterator[str]:
        yield from error_analysis.cell_sentences(services, token, event.key)

    def pack(token: str | None, onnx: bool) -> Iterator[DownloadView]:  # noqa: FBT001 (Gradio's order)
        yield from pack_model(services, token, onnx=onnx)

    def follow_after(event: gr.events.Dependency) -> gr.events.Dependency:
        """Follow the run once it has been put in the queue, with empty tabs, and show its results in them."""
        emptied = event.success(**list_runs).then(**examine).then(**changes.open)
        return show_results(emptied.then(**follow))

    def show_results(event: gr.events.Dependency) -> gr.events.Dependency:
        return event.then(**list_runs).then(**examine).then(**changes.open).then(**changes.draw)

    follow_after(
        panel.begin.click(
            controls.by_name(start),
            [steps.start, uploaded_model, panel.run],
            controls.components,
            inputs_kwargs=steps.data | steps.config,
            **SILENT,
        )
    )
    follow_after(panel.resume.click(controls.by_name(resume), panel.run, controls.components, **SILENT))
    show_results(gr.on([demo.load, panel.look_again.click], **list_runs).then(**follow))
    _connect_list(services, panel, steps, show_results, switch)
    demo.load(None, None, None, js=static_text("look_again.js"))
    panel.stop.click(
        stopped.by_name(partial(run_controls.stop_run, services)), panel.run, stopped.components, queue=False, **SILENT
    )
    asked = [panel.delete, panel.confirmation]
    panel.delete.click(lambda: (gr.update(interactive=False), gr.update(visible=True)), None, asked, **SILENT)
    panel.cancel.click(lambda: (gr.update(interactive=True), gr.update(visible=False)), None, asked, **SILENT)
    outputs = list(dict.fromkeys([*controls.components, *view.components]))
    panel.confirm.click(delete, panel.run, outputs, **SILENT).then(**list_runs).then(**examine).then(**changes.open)
    panel.matrices.select(read_cell, panel.run, panel.cell, **SILENT, trigger_mode="always_last")
    panel.share.click(partial(run_card.share_run, services), panel.run, panel.card, **SILENT)
    panel.card.select(hide_card, None, panel.card, **SILENT)
    panel.pack.click(
        download.by_name(pack), [panel.run, panel.onnx], download.components, concurrency_limit=8, **SILENT
    )  # fmt: skip


def _connect_list(
    services: Services,
    panel: RunPanel,
    steps: Form,
    show_results: Callable[[gr.events.Dependency], object],
    switch: Event,
) -> None:
    """Let the list of runs open, name, pin, draw and delete them; `switch` shows another run."""
    listed = Outputs(RunListView, panel)

    def press(stored: object, token: str | None, event: gr.EventData) -> RunListView:
        return run_list.press(services, stored, token, event.key)

    pressed = panel.run_list.select(
        listed.by_name(press), [panel.runs, panel.run], listed.components, trigger_mode="multiple", **SILENT
    )
    for each in steps.restored:
        pressed = pressed.then(**each)
    show_results(panel.turn.change(**switch))
    gr.on(
        [panel.rename.click, panel.new_name.submit],
        listed.by_name(partial(run_list.rename, services)),
        [panel.runs, panel.run, panel.renaming, panel.new_name],
        listed.components,
        **SILENT,
    )
    panel.keep_name.click(lambda: gr.update(visible=False), None, panel.rename_row, **SILENT)
