"""A file -> its columns, and its rows one after the other: nothing of a text file is kept, however long it is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from mtst.data.limits import Limits
from mtst.data.readers.delimited import SAMPLE_CHARACTERS, find_dialect, read_delimited
from mtst.data.readers.encoding import find_encoding, is_text  # fmt: skip
from mtst.data.readers.header import column_names, count_columns, names_columns
from mtst.data.readers.json_lines import BLANK, parse_object, read_json_lines
from mtst.data.readers.records import Record, Skipped
from mtst.data.readers.source import (
    ZIP,
    Content,
    beginning,
    check_kind,
    read_bytes,
    text_lines,
    text_stream,
    translate_read_errors,
)
from mtst.errors import DataError

ROWS_COMPARED = 200  # with the first one, to tell whether it names the columns
CELLS_COMPARED = 500_000
ROWS_AT_ONCE = 4_096
CHARACTERS_AT_ONCE = 2_000_000  # of a part, so that rows of long texts make shorter parts
SKIPPED_KEPT = 3


@dataclass(frozen=True, eq=False)
class Stream:
    """The rows of a file, to be taken once.

    Attributes:
        name: the file's name.
        columns: the columns' names, all different.
        records: the rows, with a cell for each column, and those that cannot be read, in the order of the file.
            Taking the last one raises a `DataError` if no row could be read.
        format: the file format, delimiter and encoding that were found, in words.
        header: whether the first row names the columns.
    """

    name: str
    columns: tuple[str, ...]
    records: Iterator[Record | Skipped]
    format: str
    header: bool


def open_stream(source: str | Path, header: bool | None = None, limits: Limits | None = None) -> Stream:
    """Read what `read_table` reads, but row by row, so that neither size nor rows of a text file have a limit.

    A workbook's texts are kept while it is read, for it says each of them once, and its size keeps its limit.

    Raises:
        DataError: no such file, not a table, beyond a limit, or without rows; reading on can raise it too.
    """
    path, limits = Path(source), limits or Limits()
    with translate_read_errors(path.name or str(path)):
        start = beginning(path, 16)
        check_kind(path.name, start)
        return make_stream(path.name, read_bytes(path, limits) if start.startswith(ZIP) else path, limits, header)


def make_stream(name: str, content: Content, limits: Limits, header: bool | None) -> Stream:
    """Find out by its beginning what the content of a file is and what its columns are called.

    Raises:
        DataError: it is not a table, has too many columns, or no rows.
    """
    form, records, named = _records(name, content, limits)
    if named is not None:
        header = named
    start = _beginning(records)
    filled = [place for place, record in enumerate(start) if isinstance(record, Record) and (named or _filled(record))]
    if not filled:
        why = _first([record for record in start if isinstance(record, Skipped)])
        raise DataError(f"{name} is empty{why}. It needs a line of column names and rows below it.")
    first, *others = filled
    cells = start[first].cells
    below = [start[place].cells for place in others]
    if header is None:
        header = names_columns(cells, below)
    width = count_columns(cells, below, header=header)
    if width > limits.columns:
        raise DataError(
            f"{name} has {width:,} columns; at most {limits.columns:,} can be read here. "
            "Keep those of the text and the labels."
        )
    columns = column_names(cells if header else [""] * width, width)
    if header:
        del start[first]
    return Stream(name, columns, _rows(name, chain(start, records), width), form, header)


def find_column(name: str, columns: Sequence[str], column: str) -> int:
    """Return the place of a column among those of a file.

    Raises:
        DataError: there is no such column; the message lists those that are.
    """
    if column not in columns:
        shown = ", ".join(columns[:20]) + (", …" if len(columns) > 20 else "")
        raise DataError(f"{name} has no column {column!r}. Its columns are: {shown}.")
    return columns.index(column)


class Batches:
    """The rows of a stream, some at a time, and a count of those that went by.

    Attributes:
        rows: how many rows could be read.
        skipped: how many could not.
        first_skipped: the first few of these, and why.
    """

    def __init__(self, stream: Stream) -> None:
        self._records = stream.records
        self.rows = self.skipped = 0
        self.first_skipped: list[Skipped] = []

    def __iter__(self) -> Iterator[list[Record]]:
        part: list[Record] = []
        characters = 0
        for record in self._records:
            if isinstance(record, Skipped):
                self.skipped += 1
                if len(self.first_skipped) < SKIPPED_KEPT:
                    self.first_skipped.append(record)
                continue
            self.rows += 1
            part.append(record)
            characters += sum(map(len, record.cells))
            if len(part) == ROWS_AT_ONCE or characters > CHARACTERS_AT_ONCE:
                yield part
                part, characters = [], 0
        if part:
            yield part


def _beginning(records: Iterator[Record | Skipped]) -> list[Record | Skipped]:
    """Take the first records, but no more cells than fit into memory with ease."""
    start: list[Record | Skipped] = []
    cells = 0
    for record in records:
        start.append(record)
        cells += len(record.cells) if isinstance(record, Record) else 0
        if len(start) > ROWS_COMPARED or cells > CELLS_COMPARED:
            break
    return start


def _first(skipped: Sequence[Skipped]) -> str:
    return f" (line {skipped[0].line:,}: {skipped[0].reason})" if skipped else ""


def _filled(record: Record) -> bool:
    return any(map(str.strip, record.cells))


def _records(name: str, content: Content, limits: Limits) -> tuple[str, Iterator[Record | Skipped], bool | None]:
    """Find out what a file is by what is in it: its format in words, its records, and whether they begin with names."""
    if isinstance(content, bytes) and content.startswith(ZIP):
        from mtst.data.readers.xlsx import read_workbook, describe_workbook

        return describe_workbook(content), read_workbook(name, content, limits), None
    encoding = find_encoding(content)
    if not is_text(content, encoding):
        raise DataError(f"{name} is not a text file. Save the table as CSV (UTF-8) and choose that file.")
    known = "UTF-8" if encoding.startswith("utf-8") else encoding.upper()
    start = text_stream(beginning(content, 4 * SAMPLE_CHARACTERS), encoding).read(SAMPLE_CHARACTERS)
    if start.lstrip(BLANK).startswith("[") and "{" in start[:100]:
        raise DataError(f"{name} is one JSON list. Save it as JSON Lines: one object a line, no commas between them.")
    line = next(filter(None, (line.strip(BLANK) for line in text_lines(name, content, encoding))), "")
    if parse_object(line) is not None:
        return f"JSON Lines, {known}", read_json_lines(name, content, encoding, limits), True
    dialect = find_dialect(start)
    return f"{dialect.format}, {known}", read_delimited(name, content, encoding, dialect), None


def _rows(name: str, records: Iterator[Record | Skipped], width: int) -> Iterator[Record | Skipped]:
    """Yield the rows that have the right number of cells, the others as skipped; empty cells at the end do not count.

    Raises:
        DataError: at the end, if there was no row that could be used.
    """
    used = False
    skipped: list[Skipped] = []
    for record in records:
        if isinstance(record, Record):
            cells = record.cells
            while len(cells) > width and not cells[-1].strip():
                cells.pop()
            if not _filled(record):
                record = Skipped(record.line, "blank")
            elif len(cells) != width:
                record = Skipped(record.line, f"malformed: {len(cells):,} cells in place of {width:,}")
            else:
                used = True
        if isinstance(record, Skipped) and not skipped:
            skipped.append(record)
        yield record
    if not used:
        raise DataError(f"{name} has a header but no rows that can be used below it{_first(skipped)}.")
