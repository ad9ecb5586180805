"""A Markdown table -> records."""

import re
from collections.abc import Iterator

from mtst.data.readers.notes import Notes
from mtst.data.readers.records import Record
from mtst.data.readers.source import Content
from mtst.data.readers.text.encoding import text_lines

RULE_CELL = re.compile(":?-{2,}:?|:-:?|-:")
BAR = re.compile(r"(?<!\\)\|")


def is_markdown_table(start: str) -> bool:
    """Return whether a text begins with a row of names between bars, and a rule below them."""
    lines = [line for line in start.splitlines()[:10] if line.strip()]
    return len(lines) > 1 and "|" in lines[0] and _is_rule(lines[1])


def read_markdown(name: str, content: Content, encoding: str, notes: Notes) -> Iterator[Record]:
    """Yield the rows of the table, the first with the names; whatever stands below the table is left out."""
    notes.add("line format", what="A Markdown table is read.")
    for number, line in enumerate(text_lines(name, content, encoding), 1):
        if "|" in line and not _is_rule(line):
            yield Record(number, [cell.replace("\\|", "|") for cell in _split(line)])


def _is_rule(line: str) -> bool:
    return "|" in line and all(map(RULE_CELL.fullmatch, _split(line)))


def _split(line: str) -> list[str]:
    return [cell.strip() for cell in BAR.split(line.strip().removeprefix("|").removesuffix("|"))]
