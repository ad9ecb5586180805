"""The predictions of a whole file: its column of sentences, and a table with what every head says."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from markupsafe import Markup

from mtst.data.columns import guess_columns
from mtst.data.labels.sets import SEPARATOR
from mtst.data.oddities.finding import find_sentence_oddities
from mtst.data.table import Table, read_table
from mtst.errors import MtstError
from mtst.model.export.predictions_csv import write_predictions
from mtst.text import inline_text, truncate
from mtst.ui.components.html import bars, problem, quiet, show_message, table
from mtst.ui.components.oddities import oddity_note
from mtst.ui.components.progress import embed_with_progress
from mtst.ui.components.templates import render
from mtst.ui.components.upload import claim_upload, show_file_note
from mtst.ui.plots.style import task_colour
from mtst.ui.server.temporary_files import fresh_path
from mtst.ui.services.encoder_suggestion import unread_texts
from mtst.ui.services.model_data import find_model
from mtst.ui.services.services import Services

PREVIEW_ROWS, MAX_LABELS = 5, 8


@dataclass(frozen=True, eq=False)
class FilePanel:
    """The components of the card for a whole file."""

    table: gr.State
    column: gr.Dropdown
    note: gr.HTML
    result: gr.File


@dataclass(frozen=True, eq=False)
class FileView:
    """The updates for an uploaded file."""

    table: Table | None
    column: dict[str, Any]
    note: dict[str, Any]
    result: gr.File

    @classmethod
    def none(cls, message: str) -> "FileView":
        """Return the view without a table."""
        no_column = gr.update(choices=[], value=None, visible=False)
        return cls(None, no_column, show_message(message), gr.File(value=None, visible=False))


def read_file(services: Services, path: str | None) -> FileView:
    """Read an uploaded table and guess its column of sentences."""
    if not path:
        return FileView.none("")
    try:
        table = read_table(claim_upload(path), services.settings.limits)
    except MtstError as error:
        return FileView.none(problem(error))
    text, _ = guess_columns(table)
    choices = [(inline_text(name), name) for name in table.columns]
    return FileView(
        table=table,
        column=gr.update(choices=choices, value=text, visible=True),
        note=show_file_note(table, text),
        result=gr.File(value=None, visible=False),
    )


def predict_file(
    services: Services,
    table: Table | None,
    column: str | None,
    which: str,
    run: str | None,
    uploaded: str | None = None,
) -> Iterator[tuple[gr.File, dict[str, Any]]]:
    """Write the table with the predictions of every head; yield the progress, then the file, with a message."""
    hidden = gr.File(visible=False)
    if table is None or column is None:
        yield hidden, show_message(problem("Choose a file first."))
        return
    try:
        yield hidden, show_message(quiet("Loading the model."))
        model = find_model(services, which, run, uploaded)
        filled = [(cell, line) for cell, line in zip(table.column(column), table.lines, strict=True) if cell.strip()]
        texts = list(dict.fromkeys(cell for cell, _ in filled))
        for progress in embed_with_progress(model.encoder, texts, services.executors.large_embeddings):
            yield hidden, show_message(progress.html())
        yield hidden, show_message(quiet("Writing the table."))  # the encoder caches its embeddings
        target = fresh_path(f"{Path(table.name).stem}-predictions.csv")
        count = write_predictions(model, table, column, target)
        unread = unread_texts(services, model.encoder, *zip(*filled, strict=True)) if filled else ()
    except MtstError as error:
        yield hidden, show_message(problem(error))
        return
    done = quiet(f"{count:,} rows predicted. A cell that a spreadsheet would run has a ' put before it.")
    done += _summary(target, column, [task.name for task in model.tasks])
    odd = (*find_sentence_oddities(table, column), *unread)
    yield gr.File(value=str(target), visible=True), show_message(done + oddity_note(odd))


def _summary(target: Path, column: str, tasks: Sequence[str]) -> Markup:
    """Return how often each label was predicted, and the first rows of the written table."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in tasks}
    preview: list[list[str]] = []
    with target.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            for name in tasks:
                counts[name].update(row[f"predicted {name}"].split(SEPARATOR) if row[f"predicted {name}"] else [])
            if len(preview) < PREVIEW_ROWS:
                predicted = [row[f"{kind} {name}"] for name in tasks for kind in ("predicted", "probability")]
                preview.append([truncate(row.get(column) or "", 120), *predicted])
    heads = [
        {"name": name, "colour": task_colour(number), "bars": _count_bars(counts[name])}
        for number, name in enumerate(tasks)
    ]
    header = ["sentence", *(name for task in tasks for name in (task, "probability"))]
    listed = table(header, preview, caption="First rows", text_columns=[0, *range(1, len(header), 2)])
    return render("predict/file_summary", heads=heads, preview=listed, count=len(preview))


def _count_bars(counts: Counter[str]) -> Markup:
    shown, most = counts.most_common(MAX_LABELS), max(counts.values(), default=1)
    rest = counts.total() - sum(count for _, count in shown)
    others = len(counts) - len(shown)
    more = f"{others} more label{'s' if others > 1 else ''}: {rest:,}" if rest else ""
    return bars([(label, count / most, f"{count:,}") for label, count in shown], more)
