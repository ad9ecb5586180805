"""The Predict tab: every head's probabilities for typed sentences, and a CSV with both predictions."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr

from mtst.data.columns import guess_columns
from mtst.data.table import Table, read_table
from mtst.errors import MtstError
from mtst.model.export.predictions_csv import write_predictions
from mtst.text import escape_html, inline_text, truncate
from mtst.ui.components.clickable import answer_area, clickable_html
from mtst.ui.components.html import bars, card, empty, html, problem, quiet, show_message
from mtst.ui.components.progress import embed_with_progress
from mtst.ui.components.sentence_box import split_sentences
from mtst.ui.components.upload import claim_upload, limits_note, upload_area
from mtst.ui.plots.style import task_colour
from mtst.ui.predict.explanation import NOTHING as NOT_ASKED
from mtst.ui.predict.explanation import explain_prediction, sentence_key
from mtst.ui.server.browser_state import BrowserTokens
from mtst.ui.server.temporary_files import fresh_path
from mtst.ui.server.visitors import visitor_id
from mtst.ui.services.model_data import STARTER, TRAINED, UPLOADED, find_model
from mtst.ui.services.services import Services
from mtst.ui.services.uploaded_model import ABOUT, delete, describe, upload_model

if TYPE_CHECKING:
    from mtst.model.predictions import Prediction

MAX_SENTENCES = 50
LABELS_SHOWN = 4
SKIPPED_SHOWN = 3
EXAMPLES = (
    "The team kept its nerve and won the cup on penalties.",
    "My order came cold and an hour late, never again.",
    "The central bank left interest rates where they were.",
)
NOTHING = empty("The probabilities of each head appear here", "Write sentences, one a line, and press Predict.")


def predict(services: Services, text: str, which: str, run: str | None, brought: str | None = None) -> str:
    """Return the probabilities of every head for each sentence as HTML."""
    try:
        sentences = split_sentences(text, MAX_SENTENCES)
        if not sentences:
            return NOTHING
        found = find_model(services, which, run, brought).predict(sentences)
    except MtstError as error:
        return problem(error)
    return "".join(
        f'<article class="prediction">{_ask(which, sentence)}<p class="sentence" dir="auto">{escape_html(sentence)}</p>'
        '<div class="heads">'
        + "".join(_bars(prediction, row, number) for number, prediction in enumerate(found.values()))
        + "</div></article>"
        for row, sentence in enumerate(sentences)
    )


def _ask(which: str, sentence: str) -> str:
    name = escape_html(f"Why? {truncate(sentence, 80)}")
    key = escape_html(sentence_key(which, sentence))
    return f'<button type="button" class="ask" data-key="{key}" aria-label="{name}">Why?</button>'


def _bars(prediction: "Prediction", row: int, number: int) -> str:
    """Return the likeliest labels of one head as bars."""
    probabilities = prediction.probabilities[row]
    order = probabilities.argsort()[::-1]
    shown, others = order[:LABELS_SHOWN], order[LABELS_SHOWN:]
    rows = [(prediction.task.labels[k], probabilities[k], f"{100 * probabilities[k]:.0f} %") for k in shown]
    rest = f"{len(others)} more labels share {100 * probabilities[others].sum():.0f} %" if len(others) else ""
    title = f'<h3 dir="auto">{escape_html(truncate(prediction.task.name, 80))}</h3>'
    return f'<section style="--task: {task_colour(number)}">{title}{bars(rows, rest)}</section>'


def read_file(services: Services, path: str | None) -> tuple[Table | None, dict, dict, gr.File]:
    """Read an uploaded table and guess its column of sentences."""
    gone = gr.File(value=None, visible=False)
    if not path:
        return None, gr.update(choices=[], value=None, visible=False), show_message(""), gone
    try:
        table = read_table(claim_upload(path), services.settings.limits)
    except MtstError as error:
        return None, gr.update(choices=[], value=None, visible=False), show_message(problem(error)), gone
    text, _ = guess_columns(table)
    note = show_message(quiet(f"{table.format}: {len(table.rows):,} rows read, {_skipped(table)}."))
    return (
        table,
        gr.update(choices=[(inline_text(name), name) for name in table.columns], value=text, visible=True),
        note,
        gone,
    )


def _skipped(table: Table) -> str:
    if not table.skipped:
        return "none skipped"
    first = "; ".join(f"line {row.line:,}: {row.reason}" for row in table.skipped[:SKIPPED_SHOWN])
    return f"{len(table.skipped):,} skipped ({first}{'; …' if len(table.skipped) > SKIPPED_SHOWN else ''})"


def predict_file(
    services: Services,
    table: Table | None,
    column: str | None,
    which: str,
    run: str | None,
    brought: str | None = None,
) -> Iterator[tuple[gr.File, dict]]:
    """Write the table with the predictions of every head; yield how far it is, then the file and a word about it."""
    hidden = gr.File(visible=False)
    if table is None or column is None:
        yield hidden, show_message(problem("Choose a file first."))
        return
    try:
        yield hidden, show_message(quiet("Loading the model."))
        model = find_model(services, which, run, brought)
        texts = list(dict.fromkeys(filter(str.strip, table.column(column))))
        for progress in embed_with_progress(model.encoder, texts, services.executors.large_embeddings):
            yield hidden, show_message(progress.html())
        yield hidden, show_message(quiet("Writing the table."))  # the encoder remembers what it has embedded
        target = fresh_path(f"{Path(table.name).stem}-predictions.csv")
        count = write_predictions(model, table, column, target)
    except MtstError as error:
        yield hidden, show_message(problem(error))
        return
    done = show_message(quiet(f"{count:,} rows predicted. A cell that a spreadsheet would run has a ' put before it."))
    yield gr.File(value=str(target), visible=True), done


def predict_tab(services: Services, tab: gr.Tab, tokens: BrowserTokens) -> gr.Radio:
    """Build the tab; return the choice of model, which the Train tab sets."""
    table, own = gr.State(), [tokens.run, tokens.model]
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
                whole = gr.Button("Predict the file", elem_id="predict-file")
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
                told = html(visible=False, elem_id="predict-brought")
                away = gr.Button("Delete this model", size="sm", visible=False, elem_id="predict-brought-delete")
        with gr.Column(scale=7, min_width=320):
            with card("What the heads say", note="probability of each label"):
                answer = clickable_html(NOTHING, elem_id="predict-answer")
            with card("Why this label"):
                reasons = answer_area(NOT_ASKED, elem_id="predict-why")
    button.click(
        partial(predict, services), [text, which, *own], answer, api_visibility="private", show_progress="hidden",
        concurrency_limit=4,
    )  # fmt: skip

    def ask(run: str | None, brought: str | None, event: gr.EventData) -> Iterator[str]:
        yield from explain_prediction(services, event.key, run, brought)

    def take_in(request: gr.Request, path: str | None, before: str | None) -> tuple[object, ...]:
        return upload_model(services, visitor_id(request), path, before)

    answer.select(
        ask, own, reasons, api_visibility="private", show_progress="hidden", concurrency_limit=2,
        trigger_mode="always_last",
    )  # fmt: skip
    button.click(lambda: NOT_ASKED, None, reasons, api_visibility="private", show_progress="hidden")  # a new question
    upload.change(
        partial(read_file, services), upload, [table, column, note, result], api_visibility="private",
        show_progress="hidden",
    )  # fmt: skip
    whole.click(
        partial(predict_file, services), [table, column, which, *own], [result, note], api_visibility="private",
        show_progress="hidden", concurrency_limit=8,
    )  # fmt: skip
    silent = {"api_visibility": "private", "show_progress": "hidden"}
    archive.upload(
        take_in, [archive, tokens.model], [tokens.model, told, away, which, archive], concurrency_limit=1,
        concurrency_id="files", **silent,
    )  # fmt: skip
    away.click(partial(delete, services), tokens.model, [tokens.model, told, away, which], **silent)
    tab.select(partial(describe, services), tokens.model, [told, away], **silent)
    return which
