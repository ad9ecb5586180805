"""Delimited text -> records. A quote that is not closed is a character; any other broken line is skipped."""

import csv
from collections.abc import Iterator
from itertools import islice

from mtst.data.readers.notes import Notes
from mtst.data.readers.records import Record, Skipped
from mtst.data.readers.source import Content
from mtst.data.readers.text.dialect import Dialect
from mtst.data.readers.text.encoding import LONGEST_ROW, text_lines
from mtst.data.readers.text.known_cells import KnownCells
from mtst.errors import DataError

MAX_REREAD_CHARACTERS = 50_000_000
LINE_CHARACTERS = 20  # that take as long to read as a line takes besides
PEEKED_LINES = 200  # from which labels are known before the first row is read


def read_delimited(
    name: str,
    content: Content,
    encoding: str,
    dialect: Dialect,
    notes: Notes | None = None,
    skip_lines: int = 0,
    max_reread: int | None = None,
) -> Iterator[Record | Skipped]:
    """Yield the rows after the first `skip_lines` lines.

    Where a quote is not closed in its cell, and every line that the cell would swallow is a row of its own, the quote
    is a character of the text. Where quotes do not match otherwise, the line on which the row began is skipped.
    Reading continues with the next line.

    Raises:
        DataError: quotes match so rarely that most lines would have to be read many times.
    """
    _allow_long_cells()
    lines = _RewindableLines(text_lines(name, content, encoding), dialect)
    lines.skip(skip_lines)
    known = KnownCells(dialect)
    for line in lines.peek(PEEKED_LINES):
        if dialect.quote not in line:
            known.add(dialect.split(line))
    while True:
        try:
            yield from _whole_rows(lines, dialect, known)
            return
        except csv.Error:
            yield _broken_row(lines, dialect, known, notes)
            if lines.rewind() > (max_reread or MAX_REREAD_CHARACTERS):
                raise DataError(
                    f"{name} has many quotes ({dialect.quote}) that are not closed, such as on line "
                    f"{lines.start - 1:,}. "
                    "Save it again with every text in quotes."
                ) from None


def _whole_rows(lines: "_RewindableLines", dialect: Dialect, known: KnownCells) -> Iterator[Record]:
    """Yield the rows up to one whose quotes do not match.

    Raises:
        csv.Error: they do not match, or every line inside a cell is a row of its own.
    """
    reader = csv.reader(
        lines,
        delimiter=dialect.sign,
        quotechar=dialect.quote,
        escapechar=dialect.escape,
        skipinitialspace=dialect.skip_blanks,
        strict=True,
    )
    for cells in reader:
        if len(lines.row) > 1 and known.are_rows(lines.row):
            raise csv.Error("a quote is a character")
        if cells:
            row = dialect.unmark(cells)
            if lines.start > PEEKED_LINES:
                known.add(row)
            yield Record(lines.start, row)
        lines.accept()


def _broken_row(
    lines: "_RewindableLines", dialect: Dialect, known: KnownCells, notes: Notes | None
) -> Record | Skipped:
    """Return the first line of a row whose quotes do not match: as a row if that is what it is without them."""
    first = lines.row[0]
    if not (known.are_rows(lines.row) or known.are_rows([first])):
        return Skipped(lines.start, f"malformed: a quote ({dialect.quote}) is not closed, or text follows one that is")
    if notes:
        notes.add("literal quote", lines.start, example=first)
    return Record(lines.start, dialect.split(first))


def _allow_long_cells() -> None:
    """Let the csv module read every cell that a row can hold; its default limit is 131,072 characters.

    The limit is one for the whole process: the module cannot give a reader its own. So it is raised where files are
    read, not on import, and never lowered again, since another thread may be in the middle of a long row.
    """
    if csv.field_size_limit() < LONGEST_ROW:
        csv.field_size_limit(LONGEST_ROW)


class _RewindableLines:
    """Lines of a text, kept until their row is accepted, so that reading can continue with the second of them."""

    def __init__(self, lines: Iterator[str], dialect: Dialect) -> None:
        self._lines = lines
        self._dialect = dialect
        self._pending: list[str] = []  # lines to read again, the next one last
        self.row: list[str] = []  # lines of the current row
        self._row_characters = 0
        self._reread_characters = 0
        self.start = 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._pending.pop() if self._pending else next(self._lines)
        self.row.append(line)
        self._row_characters += len(line)
        if self._row_characters > LONGEST_ROW:
            raise csv.Error("a quote is not closed")
        return self._dialect.mark(line)

    def skip(self, count: int) -> None:
        """Leave out the next lines."""
        for _ in range(count):
            next(self._lines, None)
            self.start += 1

    def peek(self, count: int) -> list[str]:
        """Return the next lines, which are read again."""
        lines = list(islice(self._lines, count))
        self._pending += reversed(lines)
        return lines

    def accept(self) -> None:
        """Start the next row at the next line."""
        self.start += len(self.row)
        self.row.clear()
        self._row_characters = 0

    def rewind(self) -> int:
        """Accept only the first line of the row; return what is to be read again in characters, in total so far."""
        self._reread_characters += self._row_characters - len(self.row[0]) + LINE_CHARACTERS * (len(self.row) - 1)
        self._pending += reversed(self.row[1:])
        del self.row[1:]
        self.accept()
        return self._reread_characters
