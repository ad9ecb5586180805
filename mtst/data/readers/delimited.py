"""Delimited text -> records. The delimiter is detected; a line with broken quotes is skipped, and the rest is read."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from mtst.data.readers.encoding import LONGEST_ROW, text_lines
from mtst.data.readers.records import Record, Skipped
from mtst.data.readers.source import Content
from mtst.errors import DataError

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
NO_DELIMITER = "\x1f"  # of a file with one column
SAMPLE_CHARACTERS = 16_384
LONG_WORD = re.compile(
    r"""([^\s,;|"'\\]{50})[^\s,;|"'\\]+"""
)  # its end says nothing about the delimiter, and takes the detector seconds
MAX_REREAD_CHARACTERS = 50_000_000


@dataclass(frozen=True)
class Dialect:
    """How cells are separated, and what escapes a quote, if not a second quote."""

    delimiter: str
    escape: str | None

    @property
    def format(self) -> str:
        name = DELIMITERS.get(self.delimiter)
        return f"CSV, {name}-separated" if name else "CSV, one column"


def find_dialect(start: str) -> Dialect:
    """Detect the dialect of a text. Without the delimiter in its first line, the file has one column of texts."""
    from clevercsv.detect import Detector

    try:
        detected = Detector().detect(LONG_WORD.sub(r"\1", start.replace("\0", "")), delimiters=list(DELIMITERS))
    except (ValueError, RecursionError):  # it parses cells that look like JSON, however deep they are nested
        detected = None
    delimiter, escape = (detected.delimiter, detected.escapechar) if detected else ("", "")
    first = next((line for line in start.replace("\r", "\n").split("\n") if line.strip()), "")
    if not delimiter or delimiter not in first:
        unquoted = "".join(first.split('"')[::2])
        delimiter = max(DELIMITERS, key=unquoted.count)
        delimiter = delimiter if delimiter in unquoted else NO_DELIMITER
    escapes = (None, "\\") if escape == "\\" else (None,)  # a backslash before a quote may also end a text
    return min(
        (Dialect(delimiter, escape) for escape in escapes), key=lambda dialect: _count_irregular_rows(start, dialect)
    )


def _count_irregular_rows(start: str, dialect: Dialect) -> int:
    """Count the rows that cannot be read, or differ from most in their number of cells."""
    rows = list(read_delimited("", start.encode(), "utf-8", dialect))
    widths = Counter(len(row.cells) for row in rows if isinstance(row, Record))
    return len(rows) - max(widths.values(), default=0)


def read_delimited(name: str, content: Content, encoding: str, dialect: Dialect) -> Iterator[Record | Skipped]:
    """Yield the rows; where quotes do not match, skip the line on which the row began and continue with the next line.

    Raises:
        DataError: quotes match so rarely that most lines would have to be read many times.
    """
    _allow_long_cells()
    lines = _RewindableLines(text_lines(name, content, encoding))
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
            if lines.rewind() > MAX_REREAD_CHARACTERS:
                raise DataError(
                    f'{name} has many quotes (") that are not closed, such as on line {lines.start - 1:,}. '
                    "Save it again with every text in quotes."
                ) from None


def _allow_long_cells() -> None:
    """Let the csv module read every cell that a row can hold; its default limit is 131,072 characters.

    The limit is one for the whole process: the module cannot give a reader its own. So it is raised where files are
    read, not on import, and never lowered again, since another thread may be in the middle of a long row.
    """
    if csv.field_size_limit() < LONGEST_ROW:
        csv.field_size_limit(LONGEST_ROW)


class _RewindableLines:
    """Lines of a text, kept until their row is accepted, so that reading can continue with the second of them."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._pending: list[str] = []  # lines to read again, the next one last
        self._row: list[str] = []  # lines of the current row
        self._row_characters = 0
        self._reread_characters = 0
        self.start = 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._pending.pop() if self._pending else next(self._lines)
        self._row.append(line)
        self._row_characters += len(line)
        if self._row_characters > LONGEST_ROW:
            raise csv.Error("a quote is not closed")
        return line

    def accept(self) -> None:
        """Start the next row at the next line."""
        self.start += len(self._row)
        self._row.clear()
        self._row_characters = 0

    def rewind(self) -> int:
        """Accept only the first line of the row; return how many characters are to be read again, in total so far."""
        self._reread_characters += self._row_characters - len(self._row[0])
        self._pending += reversed(self._row[1:])
        del self._row[1:]
        self.accept()
        return self._reread_characters
