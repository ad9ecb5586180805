"""The Predict tab: the probabilities of every head for typed sentences, and a CSV with the predictions of a file."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import gradio as gr
from markupsafe import Markup

from mtst.errors import MtstError
from mtst.text import truncate
from mtst.ui.components.clickable import answer_area, clickable_html
from mtst.ui.components.events import SILENT, Event, Outputs
from mtst.ui.components.html import bars, card, empty, html, problem, quiet
from mtst.ui.components.oddities import oddity_note
from mtst.ui.components.sentence_box import split_sentences
from mtst.ui.components.templates import render
from mtst.ui.components.upload import limits_note, show_file_note, upload_area
from mtst.ui.plots.style import task_colour
from mtst.ui.predict.explanation import NOTHING as NOT_ASKED
from mtst.ui.predict.explanation import explain_prediction, sentence_key
from mtst.ui.predict.file_predictions import FilePanel, FileView, predict_file, read_file
from mtst.ui.server.browser_state import BrowserTokens
from mtst.ui.server.visitors import visitor_id
from mtst.ui.services.encoder_suggestion import unread_texts
from mtst.ui.services.model_data import STARTER, TRAINED, UPLOADED, find_model
from mtst.ui.services.services import Services
from mtst.ui.services.uploaded_model import (
    ABOUT,
    UploadedModelPanel,
    UploadedModelView,
    delete,
    describe,
    upload_model,
)

if TYPE_CHECKING:
    from mtst.model.predictions import Prediction

MAX_SENTENCES = 50
MAX_LABELS = 4
EXAMPLES = (
    "The team kept its nerve and won the cup on penalties.",
    "My order came cold and an hour late, never again.",
    "The central bank left interest rates where they were.",
)
NOTHING = empty("The probabilities of each head appear here", "Write sentences, one a line.")


def predict(services: Services, text: str, which: str, run: str | None, uploaded: str | None = None) -> str:
    """Return the probabilities of every head for each sentence as HTML."""
    try:
        sentences = split_sentences(text, MAX_SENTENCES)
        if not sentences:
            return NOTHING
        model = find_model(services, which, run, uploaded)
        predictions = model.predict(sentences)
        unread = unread_texts(services, model.encoder, sentences)
    except MtstError as error:
        return problem(error)
    shown = [
        {
            "key": sentence_key(which, sentence),
            "question": f"Why? {truncate(sentence, 80)}",
            "text": sentence,
            "heads": [
                {"task": head.task.name, "colour": task_colour(number), "bars": _bars(head, row)}
                for number, head in enumerate(predictions.values())
            ],
        }
        for row, sentence in enumerate(sentences)
    ]
    return oddity_note(unread) + render("predict/predictions", sentences=shown)


def _bars(prediction: "Prediction", row: int) -> Markup:
    """Return the likeliest labels of one head as bars."""
    probabilities = prediction.probabilities[row]
    order = probabilities.argsort()[::-1]
    shown, others = order[:MAX_LABELS], order[MAX_LABELS:]
    task, threshold = prediction.task, prediction.task.threshold
    chosen = {k for k in order if task.multi and probabilities[k] >= threshold}
    percent = {k: f"{'✓ ' if k in chosen else ''}{100 * probabilities[k]:.0f} %" for k in shown}
    rows = [(task.labels[k], probabilities[k], percent[k]) for k in shown]
    if task.multi:
        labels = f"{len(chosen)} labels" if len(chosen) != 1 else "1 label"
        return bars(rows, f"{labels} with {100 * threshold:.0f} % or more predicted (✓), of {len(order)}")
    rest = f"{len(others)} more labels share {100 * probabilities[others].sum():.0f} %" if len(others) else ""
    return bars(rows, rest)


def predict_tab(services: Services, tab: gr.Tab, tokens: BrowserTokens) -> gr.Radio:
    """Build the tab; return the choice of model, which the Train tab sets."""
    table, own_models = gr.State(), [tokens.run, tokens.model]
    with gr.Row(equal_height=False):
        with gr.Column(scale=4, min_width=320):
            with card("Sentences", note=f"one a line, up to {MAX_SENTENCES}"):
                which = gr.Radio(
                    [
                        ("Starter heads: topic and sentiment", STARTER),
                        ("My trained run", TRAINED),
                        ("A model that I upload", UPLOADED),
                    ],
                    value=STARTER,
                    label="Model",
                    elem_id="predict-model",
                )
                text = gr.Textbox(
                    "\n".join(EXAMPLES), lines=6, max_lines=14, label="Sentences, one a line", elem_id="predict-text"
                )
                button = gr.Button("Predict", variant="primary", size="lg", elem_id="predict-go")
            with card("A whole file"):
                html(quiet(limits_note(services.settings.limits, labelled=False)))
                upload = upload_area("predict-upload")
                column = gr.Dropdown(label="Column of the sentences", visible=False, elem_id="predict-column")
                predict_all = gr.Button("Predict the file", elem_id="predict-file")
                note = html(visible=False)
                result = gr.File(
                    label="Table with predictions", visible=False, interactive=False, elem_id="predict-result"
                )
            with card("A model made here"):
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
        with gr.Column(scale=7, min_width=320):
            with card("What the heads say", note="probability of each label"):
                predictions = clickable_html(NOTHING, elem_id="predict-answer")
            with card("Why this label"):
                explanation = answer_area(NOT_ASKED, elem_id="predict-why")
    file_view = Outputs(FileView, FilePanel(table, column, note, result))

    def explain(run: str | None, uploaded: str | None, event: gr.EventData) -> Iterator[str]:
        yield from explain_prediction(services, event.key, run, uploaded)

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
    gr.on([button.click, text.change, which.change], lambda: NOT_ASKED, None, explanation, **SILENT)
    predictions.select(explain, own_models, explanation, concurrency_limit=2, trigger_mode="always_last", **SILENT)
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
