"""The left side of the Train tab: sentences, columns, doubtful rows, what to freeze, settings."""

from dataclasses import dataclass
from functools import partial

import gradio as gr

from mtst.config import BALANCES
from mtst.errors import MtstError
from mtst.starter import SAMPLE, SMALL_SAMPLE
from mtst.ui import dataset
from mtst.ui.downloads import fresh
from mtst.ui.draft import Draft, chosen
from mtst.ui.parts.layer_map import layer_map
from mtst.ui.parts.live_plot import live_plot
from mtst.ui.parts.pieces import card, html, quiet
from mtst.ui.quality import nothing, quality_card
from mtst.ui.services import Services
from mtst.ui.upload import limits_note, upload_area

BALANCE_TITLES = {"none": "As they are", "class-weights": "Weigh more", "balanced-sampling": "Draw more often"}
LENGTHS = "Histogram of the lengths of the texts in tokens, with a line where the encoder stops reading"
SILENT = {"api_visibility": "private", "show_progress": "hidden"}
SAVE = "() => document.querySelector('#train-rows-save').click()"


@dataclass(frozen=True)
class Form:
    """The components that other parts of the tab need.

    `data` are the draft, its columns and whether alike labels are merged; `ticked` the lists of rows to leave out;
    `config` the settings by their names in `TrainConfig`.
    """

    data: list[gr.components.Component]
    ticked: list[gr.components.Component]
    config: dict[str, gr.components.Component]
    drawing: gr.HTML


def save_rows(
    services: Services, draft: Draft | None, text: str | None, labels: list[str], merge: bool, *ticked: list[str]
) -> str:
    """Write what became of every row; return the file.

    Raises:
        gr.Error: it cannot be written.
    """
    try:
        data = chosen(draft).dataset(dataset.choice(text, labels, merge, ticked))
        target = fresh("mtst-rows.csv")
        draft.upload(data, services.encoder).write_rows(target)
    except MtstError as error:
        raise gr.Error(str(error), title="No file could be made", print_exception=False) from error
    return str(target)


def form(services: Services, demo: gr.Blocks, begin: gr.Button) -> Form:
    """Build the steps into the column that is open; `begin` is the button that starts a run."""
    draft = gr.State()
    with card("Sentences", 1):
        html(quiet(limits_note(services.settings.limits)))
        upload = upload_area("train-upload")
        with gr.Row():
            small = gr.Button("Sample of 600", min_width=120, elem_id="train-sample")
            large = gr.Button("Sample of 5,300", min_width=120, elem_id="train-sample-large")
        unread = html(visible=False)
    with card("Columns", 2, "guessed; change them if wrong"):
        header = gr.Checkbox(True, label="The first row names the columns", visible=False, elem_id="train-header")
        text = gr.Dropdown([], label="Text", elem_id="train-text")
        labels = gr.Dropdown(
            [], multiselect=True, max_choices=8, label="Labels, one column for each task", elem_id="train-labels"
        )
        merge = gr.Checkbox(False, label="Merge labels", visible=False, elem_id="train-merge")
        rows = html(dataset.NOTHING, elem_id="train-report")
        lengths = live_plot(height=190, describes=LENGTHS, elem_id="train-lengths")
        save = gr.Button("Save what became of each row", visible=False, size="sm", elem_id="train-rows")
        saved = gr.DownloadButton("Save", visible="hidden", elem_id="train-rows-save")
    check, ticked, cleared = quality_card(services, [draft, text, labels, merge])
    with card("What to freeze", 4):
        scenario = gr.Radio(
            [], label="Scenario", show_label=False, container=False, elem_classes="scenarios",
            elem_id="train-scenario",
        )  # fmt: skip
        about = html()
    with card("Layers"):
        drawing = layer_map(elem_id="train-layers")
    with gr.Accordion("Settings", open=False, elem_classes="card", elem_id="train-settings"):
        with gr.Row():
            epochs = gr.Number(
                None, label="Epochs", info="empty: what suits the scenario", precision=0, minimum=1, maximum=200,
                placeholder="auto", min_width=120,
            )  # fmt: skip
            seed = gr.Number(0, label="Seed", info="same seed, same run", precision=0, minimum=0, min_width=120)
        balance = gr.Radio(
            [(BALANCE_TITLES[key], key) for key in BALANCES], value="none", label="Rare labels",
            info="More weight finds more rows of rare labels, and mistakes more rows of frequent ones for them.",
            elem_id="train-balance",
        )  # fmt: skip
    data = [draft, text, labels, merge]
    described = {
        "fn": partial(dataset.describe, services),
        "inputs": [*data, scenario, *ticked],
        "outputs": [rows, lengths, merge, scenario, about, drawing, save, check, begin],
        **SILENT,
    }
    read = [draft, text, labels, header, unread]
    forget = {"fn": nothing, "inputs": None, "outputs": cleared, **SILENT}
    gr.on([upload.upload, upload.clear], partial(dataset.choose, services), upload, read, **SILENT).then(**forget).then(
        **described
    )
    for button, path in ((small, SMALL_SAMPLE), (large, SAMPLE)):
        button.click(partial(dataset.choose, services, str(path)), None, read, **SILENT).then(**forget).then(
            **described
        ).then(lambda: None, None, upload, **SILENT)
    header.input(partial(dataset.choose_again, services), [draft, header], read, **SILENT).then(**forget).then(
        **described
    )
    gr.on([text.input, labels.input, merge.input], **forget, trigger_mode="always_last").then(**described)
    gr.on([scenario.input, *(each.input for each in ticked)], trigger_mode="always_last", **described)
    save.click(
        partial(save_rows, services), [*data, *ticked], saved, concurrency_limit=1, concurrency_id="files", **SILENT
    ).success(None, None, None, js=SAVE)
    demo.load(**described)
    return Form(data, ticked, {"scenario": scenario, "epochs": epochs, "seed": seed, "balance": balance}, drawing)
