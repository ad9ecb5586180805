"""JSON Lines -> records: an object on each line, its keys the columns; also objects as Python prints them."""

import ast
import re
from collections.abc import Iterator
from typing import Any

from pydantic_core import from_json

from mtst.data.limits import Limits
from mtst.data.readers.json.exports import Export, find_export
from mtst.data.readers.json.values import Columns, Object, cell_text
from mtst.data.readers.notes import Notes
from mtst.data.readers.records import Record, Skipped
from mtst.data.readers.source import Content
from mtst.data.readers.text.encoding import text_lines

BLANK = "\ufeff \t\r\n"
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]|\\U0000[dD][89a-fA-F]")
NO_OBJECT = "malformed: not a JSON object"
HALF_CHARACTER = "malformed: holds half of a character (a lone surrogate, such as \\ud83d)"
# The escapes of a line, one after the other: two that make one character, one that is half of a character, others.
ESCAPES = re.compile(r"\\(?:(u[dD][89abAB]..\\u[dD][c-fC-F]..)|(u[dD][89a-fA-F]..)|.)", re.DOTALL)
LONGEST_LITERAL = 100_000  # characters; a literal takes some hundred times as much memory while it is parsed


def read_json_lines(
    name: str, content: Content, encoding: str, limits: Limits, notes: Notes
) -> Iterator[Record | Skipped]:
    """Yield a record for each object, after a first one with the keys of all objects in order of appearance.

    Objects that an annotation tool wrote become flat rows, if the first one is of that kind.

    Raises:
        DataError: there are too many keys.
    """
    columns = Columns(name, limits)
    export = next((find_export(parsed) for _, _, parsed in _objects(name, content, encoding) if parsed), None)
    if export:
        notes.add("list shape", what=export.sentence)
    for _, _, parsed in _objects(name, content, encoding):
        if parsed:
            columns.add(_row(parsed, export))
    yield Record(0, columns.names)
    for line, text, parsed in _objects(name, content, encoding):
        if parsed is None:
            yield Skipped(line, HALF_CHARACTER if has_half_character(text) else NO_OBJECT)
        else:
            yield Record(line, columns.cells(_row(parsed, export)))


def read_list_lines(name: str, content: Content, encoding: str) -> Iterator[Record | Skipped]:
    """Yield a record for each line that holds a list of cells."""
    for number, line in enumerate(text_lines(name, content, encoding), 1):
        if line.strip(BLANK):
            cells = parse_list(line.strip(BLANK))
            yield Record(number, cells) if cells is not None else Skipped(number, "malformed: not a JSON list")


def parse_list(line: str) -> list[str] | None:
    """Return the cells of a line that is a JSON list of at least two plain values, or None."""
    try:
        parsed = from_json(line.encode("utf-8", "replace")) if line.startswith("[") else None
    except ValueError:
        return None
    if not isinstance(parsed, list) or len(parsed) < 2 or any(isinstance(each, dict) for each in parsed):
        return None
    return [cell_text(each) for each in parsed]


def _row(parsed: Object, export: Export | None) -> Object:
    return export.flatten(parsed) if export and export.fits(parsed) else parsed


def _objects(name: str, content: Content, encoding: str) -> Iterator[tuple[int, str, dict[str, Any] | None]]:
    for number, line in enumerate(text_lines(name, content, encoding), 1):
        if text := line.strip(BLANK):
            yield number, text, parse_object(text)


def parse_object(line: str) -> dict[str, Any] | None:
    """Return the object that a line holds, in JSON or as Python prints it, or None if it holds something else."""
    if not line.startswith("{"):
        return None
    line = line.rstrip(",")  # of an array with a line for each object
    try:
        parsed = from_json(line.encode("utf-8", "replace"))
    except ValueError:
        parsed = parse_literal(line)
    return parsed if isinstance(parsed, dict) else None


def has_half_character(line: str) -> bool:
    """Return whether a line that holds no object would hold one, were it not for halves of characters in its texts."""
    whole = ESCAPES.sub(lambda escape: "\ufffd" if escape[2] else escape[0], line)
    return whole != line and parse_object(whole) is not None


def parse_literal(text: str) -> Any:
    """Return the value of a Python literal; None if it is none, or too long."""
    if len(text) > LONGEST_LITERAL or SURROGATE.search(text):
        return None
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
