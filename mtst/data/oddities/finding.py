"""What looks odd in a table: one place that every user interface asks. Nothing is changed because of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from mtst.data.labels.columns import LabelColumns
from mtst.data.oddities.columns import ChosenColumns
from mtst.data.oddities.label_checks import (
    blank_columns,
    error_cells,
    formula_texts,
    list_labels,
    missing_labels,
    missing_texts,
    nested_cells,
    second_header,
    total_row,
)
from mtst.data.oddities.text_checks import html_texts, swallowed_lines, undecodable_characters, unicode_copies
from mtst.data.readers.notes import Oddity
from mtst.data.table import Table

CHECKS: tuple[Callable[[ChosenColumns], Iterator[Oddity]], ...] = (
    undecodable_characters, missing_labels, missing_texts, list_labels, nested_cells, formula_texts, second_header,
    total_row, swallowed_lines, html_texts, unicode_copies, error_cells, blank_columns,
)  # fmt: skip
SENTENCE_CHECKS: tuple[Callable[[ChosenColumns], Iterator[Oddity]], ...] = (
    undecodable_characters, missing_texts, swallowed_lines, html_texts,
)  # fmt: skip


def find_oddities(table: Table, text: str, labels: Sequence[str | LabelColumns]) -> tuple[Oddity, ...]:
    """Return what looks odd in a table of which these columns are used: first what the reader decided.

    Every check looks once at each cell of the columns that are used.
    """
    single = tuple(columns for columns in labels if isinstance(columns, str))
    several = (name for columns in labels if isinstance(columns, LabelColumns) for name in columns.columns)
    columns = ChosenColumns(table, text, (*single, *several), single)
    found = [oddity for check in CHECKS for oddity in check(columns)]
    return (*table.decisions, *found)


def find_sentence_oddities(table: Table, text: str) -> tuple[Oddity, ...]:
    """Return what looks odd in a column of sentences without labels: first what the reader decided.

    What would be treated before training has no treatment here.

    Raises:
        DataError: there is no such column.
    """
    columns = ChosenColumns(table, text, (), ())
    found = [replace(oddity, treatment=None) for check in SENTENCE_CHECKS for oddity in check(columns)]
    return (*table.decisions, *found)
