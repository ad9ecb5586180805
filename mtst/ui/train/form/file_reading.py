"""How a file was read, where a visitor may know better: encoding, delimiter, sheet and column names."""

from dataclasses import dataclass

import gradio as gr

from mtst.data.readers.options import ReadOptions
from mtst.data.readers.text.encoding_guess import NAMES
from mtst.data.table import Table
from mtst.text import inline_text
from mtst.ui.components.events import Update

DELIMITER_CHOICES = [("comma", ","), ("semicolon", ";"), ("tab", "tab"), ("bar |", "|")]
MAX_HEADER_LINES = 20
ENCODING_CHOICES = [("UTF-8", "utf-8"), *((f"{name}, {key}", key) for key, name in NAMES.items())]


@dataclass(frozen=True)
class ReadingFields:
    """The components, by the fields of `ReadingView`."""

    reading: gr.Accordion
    header_line: gr.Dropdown
    encoding: gr.Dropdown
    delimiter: gr.Dropdown
    sheet: gr.Dropdown


@dataclass(frozen=True)
class ReadingView:
    """How a table was read: only the choices that its format has are shown."""

    reading: Update
    header_line: Update
    encoding: Update
    delimiter: Update
    sheet: Update


def reading_fields() -> ReadingFields:
    """Build the choices into the column that is open."""
    with gr.Accordion("How the file was read", open=False, visible=False, elem_id="train-reading") as reading:
        header_line = gr.Dropdown(
            [], label="Line of the column names", info="Rows above it are left out.", visible=False,
            elem_id="train-header-line",
        )  # fmt: skip
        encoding = gr.Dropdown(ENCODING_CHOICES, label="Encoding", visible=False, elem_id="train-encoding")
        delimiter = gr.Dropdown(
            DELIMITER_CHOICES, label="Delimiter", info="Choose one, or type any signs", allow_custom_value=True,
            visible=False, elem_id="train-delimiter",
        )  # fmt: skip
        sheet = gr.Dropdown([], label="Sheet, file or split", visible=False, elem_id="train-sheet")
    return ReadingFields(reading, header_line, encoding, delimiter, sheet)


def hide_reading() -> ReadingView:
    """Return the view without a file."""
    hidden = gr.update(visible=False)
    return ReadingView(hidden, hidden, hidden, hidden, hidden)


def show_reading(table: Table) -> ReadingView:
    """Return the view of a table: what was detected, or chosen, is selected."""
    has_header = not table.format.startswith(("JSON", "Parquet", "fastText", "Markdown"))
    is_text, is_delimited = bool(table.encoding), table.format.startswith("CSV")
    encoding = "utf-8" if table.encoding.startswith("utf-8") else table.encoding
    encodings = ENCODING_CHOICES if encoding in dict(ENCODING_CHOICES).values() else [*ENCODING_CHOICES, encoding]
    delimiter = "tab" if table.delimiter == "\t" else table.delimiter
    sheets = [(inline_text(sheet, 60), sheet) for sheet in table.sheets]
    return ReadingView(
        reading=gr.update(visible=has_header or is_text or len(sheets) > 1),
        header_line=gr.update(choices=_header_lines(table), value=table.header_line, visible=has_header),
        encoding=gr.update(choices=encodings, value=encoding or None, visible=is_text),
        delimiter=gr.update(value=delimiter or None, visible=is_delimited),
        sheet=gr.update(choices=sheets, value=table.sheet or None, visible=len(sheets) > 1),
    )


def _header_lines(table: Table) -> list[tuple[str, int]]:
    """Return the lines that may name the columns, which are the first ones of the file, and none."""
    first = [*table.lines[:MAX_HEADER_LINES], *(row.line for row in table.skipped), table.header_line or 1]
    return [
        ("None: the columns are numbered", 0),
        *((f"Line {line}", line) for line in sorted({*first})[:MAX_HEADER_LINES]),
    ]


def changed_options(options: ReadOptions, **changed: str | int | None) -> ReadOptions:
    """Return the options after one of the choices was changed; the names of columns are detected anew.

    Of the line of the column names, 0 stands for none.

    Raises:
        DataError: the choice makes no sense.
    """
    if changed.get("header_line") == 0:
        changed = {"header": False}
    values = {"encoding": options.encoding, "delimiter": options.delimiter, "sheet": options.sheet}
    return ReadOptions(**(values | {name: value for name, value in changed.items() if value is not None}))  # type: ignore[arg-type]
