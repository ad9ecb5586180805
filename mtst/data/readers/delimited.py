"""Delimited text -> records: one of four delimiters, and broken quotes that cost no more than their own line."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from mtst.data.readers.records import Record, Skipped
from mtst.data.readers.source import LONGEST_ROW, Content, text_lines
from mtst.errors import DataError

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
NONE = "\x1f"  # stands for no delimiter: the file has one column
SAMPLE_CHARACTERS = 16_384
LONG_WORD = re.compile(r"""([^\s,;|"'\\]{50})[^\s,;|"'\\]+""")  # its end tells nothing, and takes seconds to look at
MAX_CHARACTERS_AGAIN = 50_000_000
csv.field_size_limit(2**31 - 1)  # of the whole process; a cell may be as long as the file, which has a limit of its own


@dataclass(frozen=True)
class Dialect:
    """How cells are separated, and what takes the meaning from a quote, if not a second quote."""

    delimiter: str
    escape: str | None

    @property
    def format(self) -> str:
        known = DELIMITERS.get(self.delimiter)
        return f"CSV, {known}-separated" if known else "CSV, one column"


def find_dialect(start: str) -> Dialect:
    """Find the delimiter; a first line without it means that there is one column, whose texts may hold commas."""
    from clevercsv.detect import Detector

    try:
        found = Detector().detect(LONG_WORD.sub(r"\1", start.replace("\0", "")), delimiters=list(DELIMITERS))
    except (ValueError, RecursionError):  # it reads cells that look like JSON, whatever their depth and their digits
        found = None
    delimiter, escape = (found.delimiter, found.escapechar) if found else ("", "")
    first = next((line for line in start.replace("\r", "\n").split("\n") if line.strip()), "")
    if not delimiter or delimiter not in first:
        inside = "".join(first.split('"')[::2])
        delimiter = max(DELIMITERS, key=inside.count)
        delimiter = delimiter if delimiter in inside else NONE
    escapes = (None, "\\") if escape == "\\" else (None,)  # a backslash before a quote may also end a text
    return min((Dialect(delimiter, escape) for escape in escapes), key=lambda dialect: _odd_rows(start, dialect))


def _odd_rows(start: str, dialect: Dialect) -> int:
    """Count the rows that cannot be read, or have another number of cells than most."""
    rows = list(read_delimited("", start.encode(), "utf-8", dialect))
    widths = Counter(len(row.cells) for row in rows if isinstance(row, Record))
    return len(rows) - max(widths.values(), default=0)


def read_delimited(name: str, content: Content, encoding: str, dialect: Dialect) -> Iterator[Record | Skipped]:
    """Read strictly; where quotes do not match, skip the line on which the row began and go on with the next.

    Raises:
        DataError: quotes match so rarely that lines would have to be read again and again.
    """
    lines = _Lines(text_lines(name, content, encoding))
    while True:
        reader = csv.reader(lines, delimiter=dialect.delimiter, escapechar=dialect.escape, strict=True)
        try:
            for cells in reader:
                if cells:
                    yield Record(lines.start, cells)
                lines.accept()
            return
        except csv.Error:
            yield Skipped(lines.start, 'malformed: a quote (") is not closed, or text follows one that is')
            if lines.go_back() > MAX_CHARACTERS_AGAIN:
                raise DataError(
                    f'{name} has many quotes (") that are not closed, such as on line {lines.start - 1:,}. '
                    "Save it again with every text in quotes."
                ) from None


class _Lines:
    """Lines of a text, remembered until their row is accepted, so that reading can go back to the second of them."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._stream = lines
        self._again: list[str] = []  # the next one last
        self._taken: list[str] = []
        self._characters = 0  # of those taken
        self._went_back = 0
        self.start = 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.pop() if self._again else next(self._stream)
        self._taken.append(line)
        self._characters += len(line)
        if self._characters > LONGEST_ROW:
            raise csv.Error("a quote is not closed")
        return line

    def accept(self) -> None:
        self.start += len(self._taken)
        self._taken.clear()
        self._characters = 0

    def go_back(self) -> int:
        """Accept the first line of the row alone; return how many characters were given back so far."""
        self._went_back += self._characters - len(self._taken[0])
        self._again += reversed(self._taken[1:])
        del self._taken[1:]
        self.accept()
        return self._went_back
