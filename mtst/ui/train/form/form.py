"""The left side of the Train tab: sentences, columns, doubtful rows, what to freeze, settings."""

from dataclasses import dataclass
from functools import partial

import gradio as gr

from mtst.assets import SAMPLE, SMALL_SAMPLE
from mtst.data.tasks import Task
from mtst.errors import MtstError
from mtst.ui.components.html import card, html, quiet
from mtst.ui.components.layer_map import layer_map
from mtst.ui.components.live_plot import live_plot
from mtst.ui.components.upload import limits_note, upload_area
from mtst.ui.server.browser_state import BrowserTokens
from mtst.ui.server.temporary_files import fresh_path
from mtst.ui.services import uploaded_model
from mtst.ui.services.services import Services
from mtst.ui.train.form import dataset, scenario_picker
from mtst.ui.train.form.data_quality import nothing, quality_card
from mtst.ui.train.form.encoder_picker import encoder_choice
from mtst.ui.train.form.hyperparameters import HyperparameterFields, hyperparameter_fields, number
from mtst.ui.train.form.lr_finder import rate_finder
from mtst.ui.train.form.upload_draft import UploadDraft, chosen

LENGTHS = "Histogram of the lengths of the texts in tokens, with a line where the encoder stops reading"
SILENT = {"api_visibility": "private", "show_progress": "hidden"}
SAVE = "() => document.querySelector('#train-rows-save').click()"


@dataclass(frozen=True)
class Form:
    """The components that other parts of the tab need.

    `data` are the draft, its columns and whether alike labels are merged; `ticked` the lists of rows to leave out;
    `config` what `settings.config_of` takes, by name, and the name of the encoder; `start` what training starts from.
    """

    data: list[gr.components.Component]
    ticked: list[gr.components.Component]
    config: dict[str, gr.components.Component]
    drawing: gr.HTML
    start: gr.Radio


def save_rows(
    services: Services,
    draft: UploadDraft | None,
    text: str | None,
    labels: list[str],
    merge: bool,
    *ticked: list[str],
    encoder: str = "",
) -> str:
    """Write what became of every row; return the file.

    Raises:
        gr.Error: it cannot be written.
    """
    try:
        data = chosen(draft).dataset(dataset.choice(text, labels, merge, ticked))
        target = fresh_path("mtst-rows.csv")
        draft.upload(data, services.encoder_named(encoder)).write(target)
    except MtstError as error:
        raise gr.Error(str(error), title="No file could be made", print_exception=False) from error
    return str(target)


def form(services: Services, demo: gr.Blocks, begin: gr.Button, tokens: BrowserTokens) -> Form:
    """Build the steps into the column that is open; `begin` is the button that starts a run."""
    draft, tasks, opened = gr.State(), gr.State(), gr.State([])
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
        lengths = live_plot(height=190, description=LENGTHS, elem_id="train-lengths")
        save = gr.Button("Save what became of each row", visible=False, size="sm", elem_id="train-rows")
        saved = gr.DownloadButton("Save", visible="hidden", elem_id="train-rows-save")
    check, ticked, cleared = quality_card(services, [draft, text, labels, merge])
    with card("What to freeze", 4):
        start = gr.Radio(
            [("The encoder as it is, new heads", uploaded_model.ENCODER), ("The model that I uploaded", uploaded_model.MODEL)],
            value=uploaded_model.ENCODER, label="Start from", visible=False, elem_id="train-from",
        )  # fmt: skip
        going_on = html(visible=False, elem_id="train-heads")
        scenario = gr.Radio(
            [], label="Scenario", show_label=False, container=False, elem_classes="scenarios",
            elem_id="train-scenario",
        )  # fmt: skip
        blocks = number("top_blocks", "2", "counted from the top", visible=False)
        pace = number("epochs_per_group", "1", "until the next one opens", visible=False)
        about = html()
        schedule = html(elem_id="train-schedule")
    with card("Layers", note="press one to open or freeze it"):
        drawing = layer_map(elem_id="train-layers")
    encoder = encoder_choice(services)
    with gr.Accordion("Settings", open=False, elem_classes="card settings", elem_id="train-settings"):
        set_up = hyperparameter_fields()
        wrong = html(visible=False, elem_id="train-wrong")
    data = [draft, text, labels, merge]
    config = {
        "scenario": scenario, "open_groups": opened, "top_blocks": blocks, "epochs_per_group": pace,
        "encoder": encoder.name, **set_up.values,
    }  # fmt: skip
    of_encoder = {"encoder": encoder.name}
    drawn_anew = {
        "fn": partial(scenario_picker.show, services),
        "inputs": tasks,
        "inputs_kwargs": config,
        "outputs": [about, schedule, drawing, opened, wrong, blocks, pace, *set_up.suited],
        **SILENT,
    }
    described = {
        "fn": partial(dataset.describe, services),
        "inputs": [*data, scenario, *ticked],
        "inputs_kwargs": of_encoder,
        "outputs": [rows, lengths, merge, tasks, scenario, save, check, begin, *set_up.of_tasks],
        **SILENT,
    }
    read = [draft, text, labels, header, unread]
    forget = {"fn": nothing, "inputs": None, "outputs": cleared, **SILENT}

    def and_show(event: gr.events.Dependency) -> gr.events.Dependency:
        return event.then(**described).then(**drawn_anew)

    and_show(
        gr.on([upload.upload, upload.clear], partial(dataset.choose, services), upload, read, **SILENT).then(**forget)
    )
    for button, path in ((small, SMALL_SAMPLE), (large, SAMPLE)):
        taken = button.click(partial(dataset.choose, services, str(path)), None, read, **SILENT).then(**forget)
        and_show(taken).then(lambda: None, None, upload, **SILENT)
    and_show(header.input(partial(dataset.choose_again, services), [draft, header], read, **SILENT).then(**forget))
    and_show(gr.on([text.input, labels.input, merge.input], **forget, trigger_mode="always_last"))
    and_show(encoder.changed)
    gr.on([each.input for each in ticked], trigger_mode="always_last", **described)
    gr.on([scenario.input, *_changes(set_up, blocks, pace)], trigger_mode="always_last", **drawn_anew)

    def press(
        tasks: tuple[Task, ...] | None, opened: list[str], encoder: str, event: gr.EventData
    ) -> tuple[str, list[str]]:
        return scenario_picker.toggle(services, tasks, opened, event.key, encoder)

    drawing.select(press, [tasks, opened, encoder.name], [scenario, opened], **SILENT).then(**drawn_anew)
    save.click(
        partial(save_rows, services),
        [*data, *ticked],
        saved,
        inputs_kwargs=of_encoder,
        concurrency_limit=1,
        concurrency_id="files",
        **SILENT,
    ).success(None, None, None, js=SAVE)
    demo.load(**described).then(**drawn_anew)
    with set_up.rates:
        rate_finder(services, demo, [*data, tasks, *ticked], config, set_up, tokens.search)
    gr.on([demo.load, tokens.model.change], uploaded_model.offer, tokens.model, start, **SILENT)
    gr.on(
        [start.change, tasks.change, tokens.model.change], partial(uploaded_model.describe_heads, services),
        [tokens.model, start, tasks], going_on, **SILENT,
    )  # fmt: skip
    return Form([*data, tasks], ticked, config, drawing, start)


def _changes(set_up: HyperparameterFields, *others: gr.Textbox) -> list[object]:
    """Return what happens when a setting is changed; of a text, gradio's `input` misses what is pasted or deleted."""
    fields = (*set_up.values.values(), *others)
    return [each.change if isinstance(each, gr.Textbox) else each.input for each in fields]
