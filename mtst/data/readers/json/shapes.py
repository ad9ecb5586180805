"""The forms in which a JSON value holds a table: what pandas and other tools write."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

WHOLE_NUMBER = re.compile(r"-?\d+")


@dataclass(frozen=True)
class Shape:
    """A form in which a JSON value holds a table.

    Attributes:
        name: the form, in words.
        fits: whether a value has it.
        rows: the value -> its rows, each an object or, without names of columns, a list of cells.
    """

    name: str
    fits: Callable[[Any], bool]
    rows: Callable[[Any], Iterator[Any]]


def lists_of(value: Mapping[str, Any]) -> list[list[Any]]:
    """Return the values of an object that are lists."""
    return [each for each in value.values() if isinstance(each, list)]


def is_split(value: Any) -> bool:
    """Return whether it is what pandas writes with `orient="split"`."""
    return isinstance(value, dict) and isinstance(value.get("columns"), list) and isinstance(value.get("data"), list)


def _split_rows(value: Any) -> Iterator[Any]:
    for row in value["data"]:
        yield dict(zip(map(str, value["columns"]), row, strict=False)) if isinstance(row, list) else row


def is_columns(value: Any) -> bool:
    """Return whether it is an object of arrays of one length, as pandas' `to_dict("list")` gives."""
    if not isinstance(value, dict) or len(value) < 2 or not all(isinstance(each, list) for each in value.values()):
        return False
    nested = any(isinstance(cell, list | dict) for column in value.values() for cell in column[:1])
    return len({len(column) for column in value.values()}) == 1 and not nested


def _column_rows(value: Any) -> Iterator[Any]:
    return (dict(zip(value, cells, strict=True)) for cells in zip(*value.values(), strict=True))


def _is_objects(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(isinstance(each, dict) for each in value.values())


def _is_index(value: Any) -> bool:
    """Return whether it is an object of rows by their index, rather than of columns."""
    if not _is_objects(value):
        return False
    inner = next(iter(value.values()))
    outer_numbers, inner_numbers = (all(map(WHOLE_NUMBER.fullmatch, map(str, keys))) for keys in (value, inner))
    return outer_numbers if outer_numbers != inner_numbers else len(value) >= len(inner)


def _indexed_columns(value: Any) -> Iterator[Any]:
    keys = dict.fromkeys(chain.from_iterable(value.values()))
    return ({name: column.get(key) for name, column in value.items()} for key in keys)


def is_parts(value: Any) -> bool:
    """Return whether it is an object of lists of rows, such as `train` and `test`."""
    if not isinstance(value, dict) or len(lists_of(value)) < 2:
        return False
    return all(isinstance(row, list | dict) for rows in lists_of(value) for row in rows[:1])


def _part_rows(value: Any) -> Iterator[Any]:
    for part, rows in value.items():
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict):
                yield {"split": part} | row
            elif isinstance(row, list):
                yield {"split": part} | {f"column {number}": cell for number, cell in enumerate(row, 1)}


def _is_texts_by_label(value: Any) -> bool:
    """Return whether it is an object of lists of texts by their label."""
    if not isinstance(value, dict) or len(value) < 2 or len(lists_of(value)) < len(value):
        return False
    return all(isinstance(text, str) for texts in lists_of(value) for text in texts[:1])


def _texts_by_label(value: Any) -> Iterator[Any]:
    return ({"text": text, "label": label} for label, texts in value.items() for text in texts)


SHAPES = (
    Shape("a JSON array", lambda value: isinstance(value, list), iter),
    Shape("JSON of pandas (split)", is_split, _split_rows),
    Shape("a JSON object of columns", is_columns, _column_rows),
    Shape("a JSON object of lists of rows; the column “split” holds the names of the lists", is_parts, _part_rows),
    Shape("a JSON object of texts by their label", _is_texts_by_label, _texts_by_label),
    Shape("a JSON object of rows by their index", _is_index, lambda value: iter(value.values())),
    Shape("a JSON object of columns by their index", _is_objects, _indexed_columns),
)
