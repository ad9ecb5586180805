"""JSON Lines -> records: one object a line, its keys the columns."""

from collections.abc import Iterator
from json import dumps

from pydantic_core import from_json

from mtst.data.limits import Limits
from mtst.data.readers.records import Record, Skipped
from mtst.data.readers.source import Content, text_lines
from mtst.errors import DataError

BLANK = "\ufeff \t\r\n"


def read_json_lines(name: str, content: Content, encoding: str, limits: Limits) -> Iterator[Record | Skipped]:
    """Read an object a line; the first record holds the keys of all of them, in order of their appearance."""
    places: dict[str, int] = {}
    for _, found in _objects(name, content, encoding):
        if found:
            for key in found:
                places.setdefault(key, len(places))
        if len(places) > limits.columns:
            raise DataError(f"{name} has more than {limits.columns:,} columns, the most that can be read here.")
    yield Record(0, list(places))
    for line, found in _objects(name, content, encoding):
        if found is None:
            yield Skipped(line, "malformed: not a JSON object")
        else:
            cells = [""] * len(places)
            for key, value in found.items():
                cells[places[key]] = _json_text(value)
            yield Record(line, cells)


def _objects(name: str, content: Content, encoding: str) -> Iterator[tuple[int, dict | None]]:
    for number, line in enumerate(text_lines(name, content, encoding), 1):
        if line.strip(BLANK):
            yield number, parse_object(line.strip(BLANK))


def parse_object(line: str) -> dict | None:
    """Return the object that a line holds, or nothing if it holds something else."""
    if not line.startswith("{"):
        return None
    try:
        found = from_json(line.encode("utf-8", "replace"))
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _json_text(value: object) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case _:
            return dumps(value, ensure_ascii=False)
