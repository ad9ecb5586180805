"""The upload field of a table, its limits in words, the uploaded file, and what was read of it."""

import shutil
from contextlib import suppress
from pathlib import Path

import gradio as gr
from markupsafe import Markup

from mtst.data.limits import Limits
from mtst.data.oddities.finding import find_sentence_oddities
from mtst.data.table import Table
from mtst.errors import DataError
from mtst.ui.components.events import Update
from mtst.ui.components.html import quiet, show_message
from mtst.ui.components.oddities import oddity_note
from mtst.ui.server.gradio_patches import get_upload_folder
from mtst.ui.server.temporary_files import fresh_path

MAX_SKIPPED = 3


def limits_note(limits: Limits, *, labelled: bool = True) -> str:
    """Return the limits of a file in words; if `labelled`, also those of its texts and labels."""
    parts = [f"{limits.megabytes:g} MB", f"{limits.rows:,} rows", f"{limits.columns:,} columns"]
    parts += [f"{limits.labels:,} labels a task", f"{limits.characters:,} characters a text"] if labelled else []
    return f"CSV, TSV, JSON, Parquet, XLSX or ODS, also as .gz, .zst or .zip: up to {', '.join(parts)}."


def upload_area(elem_id: str) -> gr.File:
    """Return the upload field of a table, whatever its name: what is in a file says what it is."""
    return gr.File(label="File", show_label=False, height=64, elem_classes="upload", elem_id=elem_id)


def is_uploaded(path: str) -> bool:
    """Return whether a path is that of an uploaded file, rather than of any file of this machine."""
    return Path(path).resolve().is_relative_to(Path(get_upload_folder()).resolve())


def claim_upload(path: str) -> Path:
    """Move a visitor's file out of Gradio's cache, where anyone who knows its contents could download it.

    Return its new path; a file that is not in the cache, such as the sample, stays where it is.

    Raises:
        DataError: it is missing, or cannot be moved.
    """
    if not is_uploaded(path):
        return Path(path)
    file = Path(path).resolve()
    target = fresh_path(file.name)
    try:
        shutil.move(file, target)
    except OSError as error:
        raise DataError("The file did not arrive whole. Choose it once more.") from error
    with suppress(OSError):  # not empty: another file has the same contents
        file.parent.rmdir()
    return target


def file_note(table: Table, column: str, more: str = "") -> Markup:
    """Return how many rows were read and skipped, and what looks odd in the column of sentences.

    `more` is what to do next.
    """
    read = quiet(f"{table.format}: {len(table.rows):,} rows read, {_skipped(table)}. {more}".rstrip())
    return read + oddity_note(find_sentence_oddities(table, column))


def show_file_note(table: Table | None, column: str | None, more: str = "") -> Update:
    """Return the update that shows the note, or hides it where nothing is chosen."""
    return show_message(file_note(table, column, more) if table and column else "")


def _skipped(table: Table) -> str:
    if not table.skipped:
        return "none skipped"
    first = "; ".join(f"line {row.line:,}: {row.reason}" for row in table.skipped[:MAX_SKIPPED])
    return f"{len(table.skipped):,} skipped ({first}{'; …' if len(table.skipped) > MAX_SKIPPED else ''})"
