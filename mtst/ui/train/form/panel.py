"""The components of the form, built in the order in which they stand on the page."""

from dataclasses import dataclass

import gradio as gr

from mtst.ui.components.html import html, quiet
from mtst.ui.components.layer_map import layer_map
from mtst.ui.components.live_plot import live_plot
from mtst.ui.components.templates import render
from mtst.ui.components.upload import limits_note, upload_area
from mtst.ui.services.model_data import ENCODER, MODEL
from mtst.ui.services.services import Services
from mtst.ui.train.form.data_quality import FindingsPanel, findings_panel
from mtst.ui.train.form.dataset import NO_FILE
from mtst.ui.train.form.encoder_picker import EncoderChoice, encoder_choice
from mtst.ui.train.form.file_reading import ReadingFields, reading_fields
from mtst.ui.train.form.hyperparameters import Field, HyperparameterFields, hyperparameter_fields, number

LENGTHS = "Histogram of the lengths of the texts in tokens, with a line where the encoder stops reading"
SCHEDULE = "When each layer opens, epoch by epoch; the layer map beside it says the same in words"
START_CHOICES = [("The encoder as it is, new heads", ENCODER), ("The model that I uploaded", MODEL)]


@dataclass(frozen=True)
class FormPanel:
    """The components that the handlers of the form read and update."""

    # the file and its columns
    upload: gr.File
    small_sample: gr.Button
    large_sample: gr.Button
    dataset_id: gr.Textbox
    fetch: gr.Button
    draft: gr.State
    unread: gr.HTML
    fields: ReadingFields
    text: gr.Dropdown
    labels: gr.Dropdown
    several: gr.CheckboxGroup
    merge: gr.Checkbox
    treat: gr.CheckboxGroup
    tasks: gr.State
    train_rows: gr.State
    rows: gr.HTML
    suggested: gr.State
    suggest: gr.Button
    suggestion: gr.HTML
    lengths: gr.HTML
    save: gr.Button
    saved_rows: gr.DownloadButton
    findings: FindingsPanel
    # what to freeze
    start: gr.Radio
    start_note: gr.HTML
    expectation: gr.HTML
    scenario: gr.Radio
    pictures: gr.HTML
    more: gr.Button
    top_blocks: gr.Textbox
    epochs_per_group: gr.Textbox
    about: gr.HTML
    schedule: gr.HTML
    drawing: gr.HTML
    open_groups: gr.State
    # how to train
    encoder_choice: EncoderChoice
    hyperparameters: HyperparameterFields
    wrong: gr.HTML
    ahead: gr.HTML
    begin: gr.Button

    @property
    def reading(self) -> gr.Accordion:
        return self.fields.reading

    @property
    def header_line(self) -> gr.Dropdown:
        return self.fields.header_line

    @property
    def encoding(self) -> gr.Dropdown:
        return self.fields.encoding

    @property
    def delimiter(self) -> gr.Dropdown:
        return self.fields.delimiter

    @property
    def sheet(self) -> gr.Dropdown:
        return self.fields.sheet

    @property
    def check(self) -> gr.Button:
        return self.findings.check

    @property
    def copies(self) -> gr.CheckboxGroup:
        return self.findings.copies

    @property
    def conflicts(self) -> gr.CheckboxGroup:
        return self.findings.conflicts

    @property
    def doubtful(self) -> gr.CheckboxGroup:
        return self.findings.doubtful

    @property
    def encoder(self) -> gr.State:
        return self.encoder_choice.panel.name

    @property
    def prompt(self) -> gr.Textbox:
        return self.encoder_choice.panel.prompt

    @property
    def prompt_of(self) -> gr.State:
        return self.encoder_choice.panel.prompt_of

    @property
    def suited(self) -> tuple[Field, ...]:
        return self.hyperparameters.suited

    @property
    def frozen_head_loss(self) -> Field:
        return self.hyperparameters.fields["frozen_head_loss"]

    @property
    def weights_title(self) -> gr.HTML:
        return self.hyperparameters.weights_title

    @property
    def weights(self) -> tuple[gr.Textbox, ...]:
        return self.hyperparameters.weights

    @property
    def learn_weights(self) -> Field:
        return self.hyperparameters.fields["learn_weights"]


def form_panel(services: Services, begin: gr.Button, ahead: gr.HTML) -> FormPanel:
    """Build the steps into the column that is open; `begin` starts a run, and `ahead` says what that will be."""
    draft, tasks, train_rows, open_groups, suggested = gr.State(), gr.State(), gr.State(), gr.State([]), gr.State()
    with gr.Column(elem_classes="card part"):
        with gr.Row(equal_height=False):
            with gr.Column(scale=4, min_width=280):
                html(render("components/card_title", title="Data", number=1, note=""))
                upload = upload_area("train-upload")
                with gr.Row():
                    small = gr.Button("Sample of 600", size="sm", min_width=110, elem_id="train-sample")
                    large = gr.Button("Sample of 5,300", size="sm", min_width=110, elem_id="train-sample-large")
                with gr.Accordion(
                    "Or a dataset from the Hub", open=False, visible=services.settings.hub_datasets, elem_id="train-hub"
                ):
                    dataset_id = gr.Textbox(label="Name", placeholder="owner/name", max_lines=1, elem_id="train-hub-id")
                    fetch = gr.Button("Load", size="sm", elem_id="train-hub-read")
                unread = html(visible=False, elem_id="train-unread")
                html(quiet(limits_note(services.settings.limits)), elem_classes="without-file")
                with gr.Row(equal_height=True):
                    text = gr.Dropdown([], label="Text column", elem_id="train-text", min_width=110, scale=2)
                    labels = gr.Dropdown(
                        [], multiselect=True, max_choices=8, label="Label columns (one per task)", min_width=180,
                        scale=3, elem_id="train-labels",
                    )  # fmt: skip
                several = gr.CheckboxGroup(
                    [], label="Columns with several labels per cell", visible=False, elem_id="train-several"
                )
                merge = gr.Checkbox(value=False, label="Merge labels", visible=False, elem_id="train-merge")
                treat = gr.CheckboxGroup(
                    [], label="Fix what looks odd", visible=False, elem_classes="findings", elem_id="train-treat"
                )
                fields = reading_fields()
                with gr.Accordion("Text lengths", open=False, elem_classes="plain", elem_id="train-lengths-part"):
                    lengths = live_plot(height=120, description=LENGTHS, elem_id="train-lengths")
            with gr.Column(scale=6, min_width=300):
                suggest = gr.Button("Use another encoder", visible=False, size="sm", elem_id="train-suggest")
                suggestion = html(visible=False, elem_id="train-suggestion")
                rows = html(NO_FILE, elem_id="train-report")
                with gr.Row():
                    check = gr.Button(
                        "Find possible label errors", interactive=False, size="sm", min_width=180, elem_id="train-check"
                    )
                    save = gr.Button(
                        "Download row report", visible=False, size="sm", min_width=160, elem_id="train-rows"
                    )
                saved_rows = gr.DownloadButton("Save", visible="hidden", elem_id="train-rows-save")
        columns = {
            "draft": draft, "text": text, "labels": labels, "several": several, "merge": merge, "treat": treat,
        }  # fmt: skip
        findings = findings_panel(services, columns, check)
    with gr.Column(elem_classes="card part"):
        with gr.Row(equal_height=True, elem_classes="title-row"):
            html(render("components/card_title", title="What to freeze", number=2, note=""))
            more = gr.Button("More scenarios", size="sm", elem_id="train-more", min_width=130, scale=0)
        start = gr.Radio(START_CHOICES, value=ENCODER, label="Start from", visible=False, elem_id="train-from")
        start_note = html(visible=False, elem_id="train-heads")
        expectation = html(visible=False, elem_id="train-expectation")
        scenario = gr.Radio(
            [], label="Scenario", show_label=False, container=False, elem_classes="scenarios cards",
            elem_id="train-scenario",
        )  # fmt: skip
        pictures = html(elem_id="train-pictures")
        with gr.Row(equal_height=False, elem_classes="hero-row"):
            with gr.Column(scale=4, min_width=320, elem_classes="hero-map"):
                drawing = layer_map(elem_id="train-layers")
            with gr.Column(scale=6, min_width=320, elem_classes="hero-tabs"):
                html("<p class='lanes-head'>Schedule<small>Click a layer to freeze or unfreeze it</small></p>")
                schedule = live_plot(height=440, description=SCHEDULE, elem_id="train-schedule")
        with gr.Row(equal_height=True):
            with gr.Column(scale=1, min_width=180, elem_classes="of-scenario"):
                top_blocks = number("top_blocks", "2", "counted from the top", visible=False)
                epochs_per_group = number("epochs_per_group", "1", "until the next one opens", visible=False)
            with gr.Column(scale=5, min_width=300):
                about = html()
    encoder = encoder_choice(services)
    with gr.Accordion("Settings", open=False, elem_classes="card settings", elem_id="train-settings"):
        hyperparameters = hyperparameter_fields()
        wrong = html(visible=False, elem_id="train-wrong")
    return FormPanel(
        upload, small, large, dataset_id, fetch, draft, unread, fields, text, labels, several, merge, treat, tasks,
        train_rows, rows, suggested, suggest, suggestion, lengths, save, saved_rows, findings, start, start_note,
        expectation, scenario, pictures, more, top_blocks, epochs_per_group, about, schedule, drawing, open_groups,
        encoder, hyperparameters, wrong, ahead, begin,
    )  # fmt: skip
