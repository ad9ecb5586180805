"""One JSON value that holds a whole table -> records: arrays, objects of arrays, and what pandas and tools write."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from json import JSONDecoder
from typing import Any

from pydantic_core import from_json

from mtst.data.limits import Limits
from mtst.data.readers.json.exports import EXPORTS, find_export
from mtst.data.readers.json.lines import parse_literal
from mtst.data.readers.json.shapes import SHAPES, is_columns, is_parts, is_split, lists_of
from mtst.data.readers.json.values import Columns, Object, cell_text
from mtst.data.readers.notes import Notes
from mtst.data.readers.records import Record, Skipped
from mtst.errors import DataError

WRAPPERS = ("data", "rows", "records", "items", "examples", "results", "common_examples", "documents", "instances")
PARTS_PER_ROW = 20  # objects and lists; brackets in texts count too
SPARE_PARTS = 10_000
NEXT_VALUE = re.compile(r"[\s,]*(?=[{\[])")
MAX_WRAPPERS = 3  # objects around the list of rows
# The keys of an answer that is no table: it has one of the second kind.
ERROR_KEYS = frozenset(("message", "type", "request_id"))
ERROR_SIGNS = frozenset(("error", "errors", "detail", "documentation_url", "status", "code", "statusCode"))


@dataclass(frozen=True, eq=False)
class JsonTable:
    """The rows of a JSON value; `names` tells whether the first record holds the names of the columns."""

    records: Iterator[Record | Skipped]
    names: bool | None


def parse_document(name: str, raw: bytes, limits: Limits) -> Any:
    """Return the JSON value that a file holds, or a short one as Python prints it.

    Raises:
        DataError: it is neither, or has more parts than a table within the limits.
    """
    parts = raw.count(b"{") + raw.count(b"[")
    if parts > PARTS_PER_ROW * limits.rows + SPARE_PARTS or raw.count(b",") > limits.cells + len(raw) // 10:
        raise DataError(
            f"{name} has more than {limits.rows:,} rows or {limits.cells:,} values, the most that can be read here. "
            "Keep fewer rows, or only the text and the labels."
        )
    try:
        return from_json(raw)
    except ValueError as error:
        text = raw.decode("utf-8", "replace")
        for parse in (parse_literal, _parse_several):
            if (value := parse(text)) is not None:
                return value
        reason = str(error).split("\n")[0]
        raise DataError(
            f"{name} looks like JSON but cannot be read: {reason}. Save it again as JSON Lines (one object per line) "
            "or CSV."
        ) from error


def _parse_several(text: str) -> list[Any] | None:
    """Return the JSON values that stand one after the other in a text, as jq prints them; None if it holds others."""
    decoder, values, position = JSONDecoder(), [], 0
    try:
        while match := NEXT_VALUE.match(text, position):
            value, position = decoder.raw_decode(text, match.end())
            values.append(value)
    except (ValueError, RecursionError):
        return None
    return values if len(values) > 1 and not text[position:].strip() else None


def is_document(value: object) -> bool:
    """Return whether an object is a table rather than one row: all that it holds, or its data, are lists or objects."""
    if not isinstance(value, dict) or not value or any(export.fits(value) for export in EXPORTS):
        return False
    rows = _unwrapped(value)
    if is_parts(rows) or (isinstance(rows, list) and isinstance(rows[0], dict | list)):
        return True
    return is_split(value) or all(isinstance(each, list | dict) for each in value.values())


def document_table(name: str, value: Any, limits: Limits, notes: Notes) -> JsonTable:
    """Return the rows of a JSON value. The line of a row is its number, counted from 1.

    Raises:
        DataError: it holds no table, an error message, or too many columns.
    """
    check_no_message(name, value)
    value = _unwrapped(value)
    shape = next((shape for shape in SHAPES if shape.fits(value)), None)
    if shape is None:
        raise DataError(_refusal(name))
    if shape is not SHAPES[0]:
        notes.add("list shape", what=f"The file is {shape.name}.")
    rows = shape.rows(value)
    first = next(rows, None)
    rows = chain([first], rows)
    if first is None:
        raise DataError(_refusal(name))
    if isinstance(first, dict):
        return JsonTable(_object_records(name, list(rows), limits, notes), names=True)
    if isinstance(first, list):
        return JsonTable(_list_records(rows), names=None)
    return JsonTable(chain([Record(0, ["text"])], _scalar_records(rows)), names=True)


def _unwrapped(value: Any) -> Any:
    """Return the list of rows inside the objects that hold it beside a version or a schema."""
    for _ in range(MAX_WRAPPERS):
        if not isinstance(value, dict) or is_split(value):
            break
        key = next((key for key in WRAPPERS if isinstance(value.get(key), list) and value[key]), None)
        if key and not is_columns(value):
            return value[key]
        lists = lists_of(value)
        if len(lists) == 1 and lists[0] and isinstance(lists[0][0], dict | list):
            return lists[0]
        inner = next((value[key] for key in WRAPPERS if is_parts(value.get(key))), None)
        if inner is None and not lists:
            objects = [each for each in value.values() if isinstance(each, dict)]
            inner = objects[0] if len(objects) == 1 else None
        if not isinstance(inner, dict):
            break
        value = inner
    return value


def check_no_message(name: str, value: Any) -> None:
    """Refuse an object that is the message of a server in place of a table.

    Raises:
        DataError: it is; the message quotes it.
    """
    if isinstance(value, dict) and value.keys() <= ERROR_KEYS | ERROR_SIGNS and value.keys() & ERROR_SIGNS:
        said = [each for each in value.values() if isinstance(each, str)]
        raise DataError(
            f"{name} holds the message of a server, not a table: {(said or [str(value)])[0][:100]!r}. Download the "
            "file itself, after logging in if it needs that."
        )


def _refusal(name: str) -> str:
    return (
        f"{name} is JSON with no rows. It needs an array of objects, or JSON Lines: one object per line with the text "
        "and the labels."
    )


def _object_records(name: str, rows: Sequence[Any], limits: Limits, notes: Notes) -> Iterator[Record | Skipped]:
    columns = Columns(name, limits)
    first = next(row for row in rows if isinstance(row, dict))
    export = find_export(first)
    if export:
        notes.add("list shape", what=export.sentence)

    def flat(row: Object) -> Object:
        return export.flatten(row) if export and export.fits(row) else row

    for row in rows:
        if isinstance(row, dict):
            columns.add(flat(row))
    yield Record(0, columns.names)
    for number, row in enumerate(rows, 1):
        if isinstance(row, dict):
            yield Record(number, columns.cells(flat(row)))
        else:
            yield Skipped(number, "malformed: not a JSON object")


def _list_records(rows: Iterator[Any]) -> Iterator[Record | Skipped]:
    for number, row in enumerate(rows, 1):
        if isinstance(row, list):
            yield Record(number, list(map(cell_text, row)))
        else:
            yield Skipped(number, "malformed: not a list of cells")


def _scalar_records(rows: Iterator[Any]) -> Iterator[Record | Skipped]:
    for number, value in enumerate(rows, 1):
        yield Record(number, [cell_text(value)])
