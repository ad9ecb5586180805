"""What the map can draw: the sample, sentences that were typed, or a file."""

from dataclasses import dataclass
from functools import lru_cache

import gradio as gr

from mtst.assets import SAMPLE
from mtst.data.columns import guess_columns
from mtst.data.dataset import make_dataset
from mtst.data.table import Table, read_table
from mtst.errors import DataError, MtstError
from mtst.text import inline_text
from mtst.ui.components.html import problem, quiet, show_message
from mtst.ui.components.sentence_box import split_sentences
from mtst.ui.components.upload import claim_upload
from mtst.ui.services.services import Services

MAX_TYPED = 1_000
SAMPLE_POINTS = 400
SAMPLE_ROWS = 5_300
VALUES = 50  # different values of a column that may colour the points
TYPED, SAMPLE_SMALL, SAMPLE_ALL, FILE = "own", "sample", "whole", "file"


@dataclass(frozen=True, eq=False)
class Sentences:
    """What was chosen to be drawn: n texts and, by column, a value (n) that may colour them."""

    texts: list[str]
    known: dict[str, list[str]]


@lru_cache(maxsize=2)
def sample_sentences(count: int) -> Sentences:
    """Return sample sentences and, for each task, their labels."""
    data = make_dataset(read_table(SAMPLE), "text", ["topic", "sentiment"])
    complete = [k for k in range(len(data)) if all(labels[k] >= 0 for labels in data.labels.values())]
    chosen = data.take(complete[:count] if count < SAMPLE_ROWS else range(len(data)))
    known = {task.name: [task.labels[k] if k >= 0 else "" for k in chosen.labels[task.name]] for task in chosen.tasks}
    return Sentences(list(chosen.texts), known)


def chosen_sentences(source: str, text: str, table: Table | None, column: str | None) -> Sentences:
    """Return what was chosen.

    Raises:
        DataError: it is too much, or no file was chosen.
    """
    if source in (SAMPLE_SMALL, SAMPLE_ALL):
        return sample_sentences(SAMPLE_POINTS if source == SAMPLE_SMALL else SAMPLE_ROWS)
    if source == TYPED:
        return Sentences(split_sentences(text, MAX_TYPED), {})
    if table is None or column is None:
        raise DataError("Choose a file first.")
    filled = [k for k, cell in enumerate(table.column(column)) if cell.strip()]
    cells = {name: table.column(name) for name in table.columns}
    known = {
        name: [values[k].strip() for k in filled]
        for name, values in cells.items()
        if name != column and 2 <= len({values[k].strip() for k in filled} - {""}) <= VALUES
    }
    return Sentences([cells[column][k].strip() for k in filled], known)


def read_file(services: Services, path: str | None) -> tuple[Table | None, dict, dict]:
    """Read an uploaded table; return it, the menu of its columns and a word about it."""
    none = gr.update(choices=[], value=None, visible=False)
    if not path:
        return None, none, show_message("")
    try:
        table = read_table(claim_upload(path), services.settings.limits)
    except MtstError as error:
        return None, none, show_message(problem(error))
    skipped = f", {len(table.skipped):,} skipped" if table.skipped else ""
    choices = [(inline_text(name), name) for name in table.columns]
    note = show_message(quiet(f"{table.format}: {len(table.rows):,} rows read{skipped}. Now press Draw the map."))
    return table, gr.update(choices=choices, value=guess_columns(table)[0], visible=True), note
