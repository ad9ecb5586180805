"""The Predict tab: the probabilities of every head for typed sentences, and a CSV with the predictions of a file."""

from collections.abc import Iterator
from functools import partial

import gradio as gr

from mtst.ui.components.clickable import clickable_answers
from mtst.ui.components.events import SILENT, Event, Outputs, Update
from mtst.ui.components.html import card, html, quiet
from mtst.ui.components.upload import limits_note, show_file_note, upload_area
from mtst.ui.predict.answers import EXAMPLES, MAX_SENTENCES, NOTHING, explain_below, predict, suggest_sentences
from mtst.ui.predict.file_predictions import FilePanel, FileView, predict_file, read_file
from mtst.ui.server.browser_state import BrowserTokens
from mtst.ui.server.visitors import visitor_id
from mtst.ui.services.model_data import STARTER, TRAINED, UPLOADED
from mtst.ui.services.services import Services
from mtst.ui.services.uploaded_model import (
    ABOUT,
    UploadedModelPanel,
    UploadedModelView,
    delete,
    describe,
    upload_model,
)


def offered_models(run: str | None, uploaded: str | None) -> Update:
    """Return the update that shows the models that a visitor has; the others are hidden, not removed."""
    return gr.update(elem_classes=[name for name, token in (("has-run", run), ("has-model", uploaded)) if token])


def predict_tab(services: Services, tab: gr.Tab, tokens: BrowserTokens) -> gr.Radio:
    """Build the tab; return the choice of model, which the Train tab sets."""
    table, own_models, suggested = gr.State(), [tokens.run, tokens.model], gr.State(EXAMPLES)
    with gr.Row(equal_height=False, elem_classes="asked-and-answered"):
        with gr.Column(scale=4, min_width=320):
            with card("Sentences", note=f"one per line, up to {MAX_SENTENCES}"):
                which = gr.Radio(
                    [
                        ("Starter heads: topic and sentiment", STARTER),
                        ("My trained run", TRAINED),
                        ("My uploaded model", UPLOADED),
                    ],
                    value=STARTER,
                    label="Model",
                    elem_id="predict-model",
                )
                text = gr.Textbox(
                    EXAMPLES, lines=6, max_lines=14, label="Sentences, one per line", elem_id="predict-text"
                )
                button = gr.Button("Predict", variant="primary", size="lg", elem_id="predict-go")
            with card("Predict a file"):
                html(quiet(limits_note(services.settings.limits, labelled=False)))
                upload = upload_area("predict-upload")
                column = gr.Dropdown(label="Column of the sentences", visible=False, elem_id="predict-column")
                predict_all = gr.Button("Predict file", elem_id="predict-file")
                note = html(visible=False)
                result = gr.File(
                    label="Table with predictions", visible=False, interactive=False, elem_id="predict-result"
                )
            with card("Upload a model"):
                limits = services.settings
                html(quiet(ABOUT.format(limits.max_model_mb, limits.run_ttl_hours)))
                archive = gr.File(
                    label="Model", show_label=False, file_types=[".zip"], height=64, elem_classes="upload",
                    elem_id="predict-bring",
                )  # fmt: skip
                upload_panel = UploadedModelPanel(
                    tokens.model,
                    html(visible=False, elem_id="predict-brought"),
                    gr.Button("Delete this model", size="sm", visible=False, elem_id="predict-brought-delete"),
                    which,
                    archive,
                )
        with gr.Column(scale=7, min_width=320), card("Predictions", note="probability of each label"):
            predictions = clickable_answers(NOTHING, elem_id="predict-answer")
    file_view = Outputs(FileView, FilePanel(table, column, note, result))

    def explain(text: str, which: str, run: str | None, uploaded: str | None, event: gr.EventData) -> Iterator[str]:
        yield from explain_below(services, str(event.key), text, which, run, uploaded)

    def suggest(which: str, text: str, suggested: str, run: str | None) -> tuple[Update, str]:
        sentences = suggest_sentences(services, which, text, suggested, run)
        return (gr.skip(), suggested) if sentences is None else (gr.update(value=sentences), sentences)

    def upload_zip(request: gr.Request, path: str | None, previous: str | None) -> Iterator[UploadedModelView]:
        yield from upload_model(services, visitor_id(request), path, previous)

    answer: Event = {
        "fn": partial(predict, services),
        "inputs": [text, which, *own_models],
        "outputs": predictions,
        "concurrency_limit": 4,
        "concurrency_id": "predict",
        "trigger_mode": "always_last",
        **SILENT,
    }
    for event in (button.click, text.change, which.change, tab.select):
        event(**answer)
    predictions.select(
        explain, [text, which, *own_models], predictions, concurrency_limit=2, trigger_mode="always_last", **SILENT
    )
    gr.on([which.change, tokens.run.change], suggest, [which, text, suggested, tokens.run], [text, suggested], **SILENT)
    gr.on([tab.select, tokens.run.change, tokens.model.change], offered_models, own_models, which, **SILENT)
    upload.change(file_view.by_name(partial(read_file, services)), upload, file_view.components, **SILENT)
    column.input(show_file_note, [table, column], note, **SILENT)
    predict_all.click(
        partial(predict_file, services), [table, column, which, *own_models], [result, note], concurrency_limit=8,
        **SILENT,
    )  # fmt: skip
    model_view = Outputs(UploadedModelView, upload_panel)
    archive.upload(
        model_view.by_name(upload_zip), [archive, tokens.model], model_view.components, concurrency_limit=8, **SILENT
    )
    upload_panel.delete.click(
        model_view.by_name(partial(delete, services)), tokens.model, model_view.components, **SILENT
    )
    tab.select(model_view.by_name(partial(describe, services)), tokens.model, model_view.components, **SILENT)
    return which
