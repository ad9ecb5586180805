"""JSON Lines -> records: an object on each line, its keys the columns."""

import re
from collections.abc import Iterator
from json import dumps
from typing import Any

from pydantic_core import from_json

from mtst.data.limits import Limits
from mtst.data.readers.encoding import text_lines
from mtst.data.readers.records import Record, Skipped
from mtst.data.readers.source import Content
from mtst.errors import DataError

BLANK = "\ufeff \t\r\n"
NO_OBJECT = "malformed: not a JSON object"
HALF_CHARACTER = "malformed: holds half of a character (a lone surrogate, such as \\ud83d)"
# The escapes of a line, one after the other: two that make one character, one that is half of a character, others.
ESCAPES = re.compile(r"\\(?:(u[dD][89abAB]..\\u[dD][c-fC-F]..)|(u[dD][89a-fA-F]..)|.)", re.DOTALL)


def read_json_lines(name: str, content: Content, encoding: str, limits: Limits) -> Iterator[Record | Skipped]:
    """Yield a record for each object, after a first one with the keys of all objects in order of appearance."""
    positions: dict[str, int] = {}
    for _, _, parsed in _objects(name, content, encoding):
        if parsed:
            for key in parsed:
                positions.setdefault(key, len(positions))
        if len(positions) > limits.columns:
            raise DataError(f"{name} has more than {limits.columns:,} columns, the most that can be read here.")
    yield Record(0, list(positions))
    for line, text, parsed in _objects(name, content, encoding):
        if parsed is None:
            yield Skipped(line, HALF_CHARACTER if has_half_character(text) else NO_OBJECT)
        else:
            cells = [""] * len(positions)
            for key, value in parsed.items():
                cells[positions[key]] = _json_text(value)
            yield Record(line, cells)


def _objects(name: str, content: Content, encoding: str) -> Iterator[tuple[int, str, dict[str, Any] | None]]:
    for number, line in enumerate(text_lines(name, content, encoding), 1):
        if text := line.strip(BLANK):
            yield number, text, parse_object(text)


def parse_object(line: str) -> dict[str, Any] | None:
    """Return the object that a line holds, or None if it holds something else."""
    if not line.startswith("{"):
        return None
    try:
        parsed = from_json(line.encode("utf-8", "replace"))
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def has_half_character(line: str) -> bool:
    """Return whether a line that holds no object would hold one, were it not for halves of characters in its texts."""
    whole = ESCAPES.sub(lambda escape: "\ufffd" if escape[2] else escape[0], line)
    return whole != line and parse_object(whole) is not None


def _json_text(value: object) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case _:
            return dumps(value, ensure_ascii=False)
