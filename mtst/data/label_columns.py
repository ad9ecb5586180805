"""The columns of a multi-label task: one whose cells hold several labels each, or several of 0 and 1."""

import ast
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mtst.data.table import Table
from mtst.errors import DataError

SEPARATORS = (";", "|", "#", ",")
MAX_LIST_LENGTH = 10_000  # characters of a cell that is parsed as a list
MIN_FLAG_COLUMNS = 3  # so many columns of 0 and 1 are guessed to be one task
MIN_LISTS = 0.9  # share of the filled cells that are lists in a column of lists
MIN_SEVERAL = 2  # distinct cells with several labels
MIN_RECOMBINED = 0.5  # share of the labels in such cells that occur in other cells too
FLAGS = {"0": False, "1": True, "0.0": False, "1.0": True, "false": False, "true": True, "no": False, "yes": True}
FLAG_TASK = "labels"  # the name of a task that is made of columns of 0 and 1


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

    def __str__(self) -> str:
        """Return it as `parse_label_columns` reads it."""
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


def parse_list(text: str) -> list[str] | None:
    """Return the entries of a list as JSON or Python writes it, also one inside an object; None if it is none."""
    if not (text[:1] in "[({" and text[-1:] in "])}") or len(text) > MAX_LIST_LENGTH:
        return None
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


def guess_label_columns(table: Table, columns: Sequence[str]) -> list[str | LabelColumns]:
    """Return columns of labels, those whose cells hold several labels as multi-label tasks.

    Their cells are lists, or what stands between separators recurs in other combinations, so that a label such as
    "food, drinks" stays whole.
    """
    separators = {name: guess_separator(table.column(name)) for name in columns}
    return [
        name if separator is None else LabelColumns(name, (name,), separator) for name, separator in separators.items()
    ]


def guess_flags(table: Table) -> LabelColumns | None:
    """Return all columns of 0 and 1 as one multi-label task, if there are three or more."""
    flags = tuple(name for name in table.columns if _holds_flags(table.column(name)))
    return LabelColumns(FLAG_TASK, flags) if len(flags) >= MIN_FLAG_COLUMNS else None


def _holds_flags(cells: Sequence[str]) -> bool:
    values = {cell.strip().lower() for cell in cells} - {""}
    return len(values) == 2 and values <= FLAGS.keys()


def guess_separator(cells: Sequence[str]) -> str | None:
    """Return what stands between the labels of a cell; None if every cell holds one label.

    Where the labels are lists it does not matter, and is a comma.
    """
    filled = Counter(cell.strip() for cell in cells)
    del filled[""]
    lists = {cell: entries for cell in filled if (entries := parse_list(cell)) is not None}
    if any(len(entries) > 1 for entries in lists.values()):
        share = sum(filled[cell] for cell in lists) / filled.total()
        several = sum(cell[:1] in "[({" for cell in filled)
        if share >= MIN_LISTS or len(lists) == several:
            return ","
    return next((separator for separator in SEPARATORS if _recombines(filled, separator)), None)


def _recombines(cells: Counter[str], separator: str) -> bool:
    """Return whether the parts of cells occur in other cells too, as the labels of a multi-label task do."""
    parts = {cell: {part.strip() for part in cell.split(separator)} - {""} for cell in cells}
    occurs_in: defaultdict[str, int] = defaultdict(int)
    for members in parts.values():
        for part in members:
            occurs_in[part] += 1
    several = [members for members in parts.values() if len(members) > 1]
    if len(several) < MIN_SEVERAL:
        return False
    combined = set().union(*several)
    recombined = sum(occurs_in[part] > 1 for part in combined)
    if recombined < MIN_RECOMBINED * len(combined):
        return False
    # Numbers with a decimal comma have two parts each, most of them; lists of label numbers have any number.
    numeric = all(part.isdigit() for part in combined)
    return not (numeric and separator == "," and all(len(members) <= 2 for members in parts.values()))


@dataclass(frozen=True)
class LabelChoice:
    """Which columns hold labels, and what is said about them.

    Attributes:
        guessed: columns of which `guess_label_columns` says whether their cells hold several labels.
        multi: multi-label tasks, as `parse_label_columns` reads them.
        single: columns whose cells hold one label each.
    """

    guessed: tuple[str, ...] = ()
    multi: tuple[str, ...] = ()
    single: tuple[str, ...] = ()

    def columns(self, table: Table) -> list[str | LabelColumns]:
        """Return the columns of labels in a table.

        Raises:
            DataError: there is no such column.
        """
        forced = [parse_label_columns(table, text) for text in self.multi]
        return [*guess_label_columns(table, self.guessed), *forced, *self.single]


def parse_label_columns(table: Table, text: str) -> LabelColumns:
    """Return a multi-label task written as COLUMN, or as several columns of 0 and 1: [NAME=]COLUMN,COLUMN,….

    Raises:
        DataError: there is no such column.
    """
    name, equals, rest = text.partition("=")
    if text in table.columns or not equals:
        name, rest = "", text
    columns = (rest,) if rest in table.columns else tuple(part.strip() for part in rest.split(","))
    cells = [table.column(column) for column in columns]  # refuses a column that is not there
    if len(columns) > 1:
        return LabelColumns(name or FLAG_TASK, columns)
    return LabelColumns(name or rest, columns, guess_separator(cells[0]) or _frequent_separator(cells[0]))


def _frequent_separator(cells: Sequence[str]) -> str:
    return max(SEPARATORS, key=lambda separator: sum(separator in cell for cell in cells))
