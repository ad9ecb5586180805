"""The columns of a multi-label task: one whose cells hold several labels each, or several of 0 and 1."""

import ast
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mtst.data.table import Table
from mtst.errors import DataError

MAX_LIST_LENGTH = 2_000  # characters of a cell that is parsed as a list
# As NumPy prints an array, and pandas a column of arrays: Python would join the texts to one.
ARRAY_ENTRY = r"""'[^']*'|"[^"]*"|-?\d+"""
ARRAY = re.compile(rf"\[\s*(?:{ARRAY_ENTRY})(?:\s+(?:{ARRAY_ENTRY}))+\s*\]")
FLAGS = {"0": False, "1": True, "0.0": False, "1.0": True, "false": False, "true": True, "no": False, "yes": True}


@dataclass(frozen=True)
class LabelColumns:
    """Where the labels of a multi-label task stand.

    Attributes:
        name: of the task.
        columns: one whose cells hold the labels, or several of 0 and 1, each named for its label.
        separator: what stands between the labels of a cell that is not written as a list.

    Raises:
        DataError: there is no column, or one occurs twice.
    """

    name: str
    columns: tuple[str, ...]
    separator: str = ","

    def __post_init__(self) -> None:
        if not self.columns or len(set(self.columns)) < len(self.columns):
            raise DataError(f"The multi-label task {self.name!r} needs columns, each once, not {self.columns!r}.")

    @property
    def are_flags(self) -> bool:
        """Whether each label has a column of 0 and 1."""
        return len(self.columns) > 1

    def replace_in(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Return columns of labels with this task, as `__str__` writes it, in place of those that belong to it."""
        return (str(self), *(name for name in columns if name not in self.columns))

    def __str__(self) -> str:
        """Return it as `mtst.data.labels.choice.parse_label_columns` reads it."""
        columns = ",".join(self.columns)
        return columns if self.name == columns else f"{self.name}={columns}"

    def read(self, table: Table) -> list[tuple[str, ...] | None]:
        """Return the labels of each row of a table; None where it is not labelled.

        Raises:
            DataError: a column is missing, or a cell of a column of 0 and 1 holds something else.
        """
        cells = [table.column(name) for name in self.columns]
        if not self.are_flags:
            parsed = {cell: split_labels(cell, self.separator) for cell in set(cells[0])}
            return [parsed[cell] for cell in cells[0]]
        flags = [self._flags(table, name, column) for name, column in zip(self.columns, cells, strict=True)]
        rows = zip(*flags, strict=True)
        return [
            None
            if all(flag is None for flag in row)
            else tuple(name for name, flag in zip(self.columns, row, strict=True) if flag)
            for row in rows
        ]

    def _flags(self, table: Table, name: str, cells: Sequence[str]) -> list[bool | None]:
        known: Mapping[str, bool | None] = {**FLAGS, "": None}
        try:
            return [known[cell.strip().lower()] for cell in cells]
        except KeyError as error:
            raise DataError(
                f"Column {name!r} of {table.name} holds {error.args[0]!r}. A multi-label task of several columns needs "
                "0 or 1 in each of them."
            ) from None


def split_labels(cell: str, separator: str) -> tuple[str, ...] | None:
    """Return the labels in a cell, each once; None if it is blank. A list in brackets may be empty."""
    text = cell.strip()
    if not text:
        return None
    values = parse_list(text)
    if values is None:
        values = [part.strip() for part in text.split(separator)]
    return tuple(dict.fromkeys(value for value in values if value))


def unwrap_list(cell: str) -> str:
    """Return the only entry of a list, nothing for an empty list, and any other cell unchanged.

    Annotation tools write such lists for tasks of one label a row.
    """
    entries = parse_list(cell.strip())
    if entries is None or len(entries) > 1:
        return cell
    return entries[0] if entries else ""


def parse_list(text: str) -> list[str] | None:
    """Return the entries of a list as JSON, Python or NumPy writes it, also one in an object; None if it is none."""
    if not (text[:1] in "[({" and text[-1:] in "])}") or len(text) > MAX_LIST_LENGTH:
        return None
    if ARRAY.fullmatch(text):
        return [entry.strip("'\"").strip() for entry in re.findall(ARRAY_ENTRY, text)]
    value = _literal(text)
    while isinstance(value, dict) and len(value) == 1:  # such as {"choices": ["a", "b"]}
        (value,) = value.values()
    if not isinstance(value, list | tuple | set) or not all(isinstance(entry, str | int | float) for entry in value):
        return None
    return [str(entry).strip() for entry in value]


def _literal(text: str) -> Any:
    for parse in (json.loads, ast.literal_eval):
        try:
            return parse(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
    return None
