"""The components of a run: the bar that stays in sight, the result, the layer map, and tabs with the details."""

from dataclasses import dataclass

import gradio as gr

from mtst.ui.components import run_status
from mtst.ui.components.clickable import answer_area, clickable_matrix, clickable_run_list
from mtst.ui.components.html import html
from mtst.ui.components.layer_map import layer_map
from mtst.ui.components.live_plot import live_plot
from mtst.ui.components.server_load import server_load
from mtst.ui.components.share_card import share_card
from mtst.ui.server.browser_state import BrowserTokens
from mtst.ui.services.services import Services
from mtst.ui.train import run_view
from mtst.ui.train.results import score_tables
from mtst.ui.train.results.embedding_changes import ChangesPanel, embedding_changes
from mtst.ui.train.saved_runs import MAX_NAME

PLOT_DESCRIPTION = (
    "Loss of each task on train and validation rows and macro-F1 on validation rows, by epoch, with the baselines as "
    "dashed lines; the tab Scores holds the same in numbers"
)
OVERLAY_DESCRIPTION = "Mean macro-F1 on validation rows by epoch, a line for each run that is ticked in the list"


@dataclass(frozen=True)
class RunPanel:
    """The components of a run, by the fields of the views that update them."""

    run: gr.BrowserState
    # the run bar
    status: gr.HTML
    ahead: gr.HTML
    begin: gr.Button
    stop: gr.Button
    resume: gr.Button
    delete: gr.Button
    confirmation: gr.Row
    confirm: gr.Button
    cancel: gr.Button
    look_again: gr.Button
    # the result
    result_card: gr.Column
    result: gr.HTML
    score: gr.HTML
    rescued: gr.HTML
    use: gr.Button
    pack: gr.Button
    compare: gr.Button
    onnx: gr.Checkbox
    download: gr.DownloadButton
    packing: gr.HTML
    share: gr.Button
    card: gr.HTML
    # the layers, and the tabs beside them
    run_card: gr.Column
    drawing: gr.HTML
    placeholder: gr.HTML
    plot: gr.HTML
    scores: gr.HTML
    matrices: gr.HTML
    cell: gr.HTML
    errors: gr.HTML
    summary: gr.HTML
    changes: ChangesPanel
    command: gr.HTML
    # the last runs
    runs: gr.BrowserState
    runs_card: gr.Accordion
    run_list: gr.HTML
    rename_row: gr.Row
    renaming: gr.State
    turn: gr.State
    new_name: gr.Textbox
    rename: gr.Button
    keep_name: gr.Button
    overlay: gr.HTML
    # what the next run will do
    setup: gr.Accordion


def run_panel(services: Services, tokens: BrowserTokens) -> RunPanel:
    """Build the components into the tab that is open; the form goes into `setup`."""
    run, renaming, turn = tokens.run, gr.State(""), gr.State("")
    with gr.Column(elem_classes="card runbar", elem_id="train-bar"):
        with gr.Row(equal_height=False, elem_classes="runbar-row"):
            status = html(run_status.idle_status(), elem_id="train-status", min_width=200)
            ahead = html(elem_id="train-next", min_width=100)
            begin = gr.Button(
                "Start training", variant="primary", interactive=False, elem_id="train-start", min_width=130, scale=0
            )
            stop = gr.Button(
                "Stop and keep best", variant="stop", visible=False, elem_id="train-stop", min_width=130, scale=0
            )
            resume = gr.Button("Resume", visible=False, elem_id="train-resume", min_width=90, scale=0)
            delete = gr.Button("Delete…", visible=False, elem_id="train-delete", min_width=80, scale=0)
        with gr.Row(visible=False, elem_classes="confirmation", elem_id="train-confirmation") as confirmation:
            html("<p class='quiet'>Delete this run, its data and its model? This cannot be undone.</p>", min_width=200)
            confirm = gr.Button("Delete", variant="stop", size="sm", elem_id="train-delete-sure", min_width=90, scale=0)
            cancel = gr.Button("Cancel", size="sm", elem_id="train-delete-cancel", min_width=90, scale=0)
        look_again = gr.Button("Look again", visible="hidden", elem_id="train-look")
    with gr.Column(visible=False, elem_classes="card result-card", elem_id="train-result-card") as result_card:
        with gr.Row(equal_height=False):
            with gr.Column(scale=6, min_width=300):
                result = html(elem_id="train-result")
                rescued = html(elem_id="train-rescued")
                with gr.Row(elem_classes="acts"):
                    use = gr.Button("Try it", variant="primary", elem_id="train-use", min_width=100, scale=0)
                    pack = gr.Button("Download", elem_id="train-pack", min_width=110, scale=0)
                    compare = gr.Button("Compare scenarios", elem_id="train-compare", min_width=150, scale=0)
                    share = gr.Button("Share card", elem_id="train-share", min_width=100, scale=0)
                    onnx = gr.Checkbox(
                        value=False, label="Include ONNX (slower)", elem_id="train-onnx", min_width=170, scale=0
                    )
                    download = gr.DownloadButton(
                        "Save", visible=False, variant="primary", elem_id="train-download", min_width=200, scale=0
                    )
                packing = html(visible=False)
            with gr.Column(scale=4, min_width=300):
                score = html(elem_id="train-score")
        card = share_card(elem_id="train-card")
    with (
        gr.Column(visible=False, elem_classes="card hero", elem_id="train-run-card") as run_card,
        gr.Row(equal_height=False, elem_classes="hero-row"),
    ):
        with gr.Column(scale=4, min_width=320, elem_classes="hero-map"):
            drawing = layer_map(elem_id="train-map")
        with gr.Column(scale=6, min_width=320, elem_classes="hero-tabs"), gr.Tabs(elem_id="train-tabs"):
            with gr.Tab("Curves", id="curves", elem_id="train-tab-curves"):
                placeholder = html(visible=False)
                plot = live_plot(height=460, description=PLOT_DESCRIPTION, elem_id="train-loss")
            with gr.Tab("Scores", id="scores", elem_id="train-tab-scores"):
                scores = html(score_tables.NO_SCORES, elem_id="train-scores")
            with gr.Tab("Errors", id="errors", elem_id="train-tab-errors"):
                matrices = clickable_matrix(elem_id="train-mistakes")
                cell = answer_area(elem_id="train-cell")
                errors = html(elem_id="train-errors")
            with gr.Tab("Layers", id="layers", elem_id="train-tab-layers"):
                summary = html(run_view.NO_SUMMARY, elem_id="train-story")
            with gr.Tab("Before/after", id="before", elem_id="train-tab-before"):
                changes = embedding_changes(services, run)
            with gr.Tab("Reproduce", id="reproduce", elem_id="train-tab-reproduce"):
                command = html(run_view.NO_COMMAND, elem_id="train-command")
    with gr.Accordion(
        "Your runs", open=False, visible=False, elem_classes="card setup", elem_id="train-runs"
    ) as runs_card:
        run_list = clickable_run_list(elem_id="train-run-list")
        with gr.Row(visible=False, equal_height=True, elem_id="train-rename") as rename_row:
            new_name = gr.Textbox(
                label="Name", max_lines=1, max_length=MAX_NAME, min_width=200, scale=3, elem_id="train-new-name"
            )
            rename = gr.Button(
                "Rename", variant="primary", size="sm", min_width=90, scale=0, elem_id="train-rename-sure"
            )
            keep_name = gr.Button("Cancel", size="sm", min_width=90, scale=0)
        overlay = live_plot(height=300, description=OVERLAY_DESCRIPTION, elem_id="train-overlay")
    with gr.Accordion("Setup", open=True, elem_classes="card setup", elem_id="train-setup") as setup:
        pass
    server_load(elem_id="train-server")
    return RunPanel(
        run, status, ahead, begin, stop, resume, delete, confirmation, confirm, cancel, look_again, result_card, result,
        score, rescued, use, pack, compare, onnx, download, packing, share, card, run_card, drawing, placeholder, plot,
        scores, matrices, cell, errors, summary, changes, command, tokens.runs, runs_card, run_list, rename_row,
        renaming, turn, new_name, rename, keep_name, overlay, setup,
    )  # fmt: skip
