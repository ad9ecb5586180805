"""The sentences that the map can draw: the sample, typed sentences, or a file."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import gradio as gr

from mtst.assets import SAMPLE
from mtst.data.columns import guess_columns
from mtst.data.dataset import make_dataset
from mtst.data.table import Table, read_table
from mtst.errors import DataError, MtstError
from mtst.text import inline_text
from mtst.ui.components.html import problem, show_message
from mtst.ui.components.sentence_box import split_sentences
from mtst.ui.components.upload import claim_upload, show_file_note
from mtst.ui.services.services import Services

MAX_TYPED = 1_000
SAMPLE_POINTS = 400
SAMPLE_ROWS = 5_300
MAX_VALUES = 50  # different values of a column that can colour the points
NEXT = "Now press Draw map."
TYPED, SAMPLE_SMALL, SAMPLE_ALL, FILE = "own", "sample", "whole", "file"


@dataclass(frozen=True, eq=False)
class Sentences:
    """The n texts to draw, the n values of each column that can colour them, and the n lines of those of a file."""

    texts: list[str]
    values: dict[str, list[str]]
    lines: list[int] | None = None


@dataclass(frozen=True, eq=False)
class FileView:
    """The updates for an uploaded file."""

    table: Table | None
    column: dict[str, Any]
    note: dict[str, Any]


@lru_cache(maxsize=2)
def sample_sentences(count: int) -> Sentences:
    """Return the first rows of the sample with all labels, or all rows, with the labels of each task."""
    data = make_dataset(read_table(SAMPLE), "text", ["topic", "sentiment"])
    complete = [row for row in range(len(data)) if all(labels[row] >= 0 for labels in data.labels.values())]
    rows = data.take(complete[:count] if count < SAMPLE_ROWS else range(len(data)))
    values = {
        task.name: [task.labels[label] if label >= 0 else "" for label in rows.labels[task.name]] for task in rows.tasks
    }
    return Sentences(list(rows.texts), values)


def select_sentences(source: str, text: str, table: Table | None, column: str | None) -> Sentences:
    """Return the sentences of a source.

    Raises:
        DataError: there are too many, or no file was chosen.
    """
    if source in (SAMPLE_SMALL, SAMPLE_ALL):
        return sample_sentences(SAMPLE_POINTS if source == SAMPLE_SMALL else SAMPLE_ROWS)
    if source == TYPED:
        return Sentences(split_sentences(text, MAX_TYPED), {})
    if table is None or column is None:
        raise DataError("Choose a file first.")
    rows = [row for row, cell in enumerate(table.column(column)) if cell.strip()]
    all_cells = {name: table.column(name) for name in table.columns}
    cells = {name: [column_cells[row].strip() for row in rows] for name, column_cells in all_cells.items()}
    values = {
        name: column_values
        for name, column_values in cells.items()
        if name != column and 2 <= len(set(column_values) - {""}) <= MAX_VALUES
    }
    return Sentences(cells[column], values, [table.lines[row] for row in rows])


def read_file(services: Services, path: str | None) -> FileView:
    """Read an uploaded table."""
    no_column = gr.update(choices=[], value=None, visible=False)
    if not path:
        return FileView(None, no_column, show_message(""))
    try:
        table = read_table(claim_upload(path), services.settings.limits)
    except MtstError as error:
        return FileView(None, no_column, show_message(problem(error)))
    text = guess_columns(table)[0]
    choices = [(inline_text(name), name) for name in table.columns]
    return FileView(table, gr.update(choices=choices, value=text, visible=True), show_file_note(table, text, NEXT))
