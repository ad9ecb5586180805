"""A file -> its columns and a stream of its rows; a text file of any length takes little memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from mtst.data.limits import Limits
from mtst.data.readers.formats import read_records
from mtst.data.readers.header import HeaderChoice, choose_header, column_names, count_columns
from mtst.data.readers.notes import Notes
from mtst.data.readers.options import DETECT, ReadOptions
from mtst.data.readers.records import Reading, Record, Skipped
from mtst.data.readers.signatures import check_kind
from mtst.data.readers.source import (
    BINARY_TABLES,
    KIND_BYTES,
    Content,
    read_bytes,
    read_start,
    translate_read_errors,
)
from mtst.errors import DataError

HEAD_ROWS = 200  # with which the first row is compared to find out whether it is a header
HEAD_CELLS = 500_000
BATCH_ROWS = 4_096
BATCH_CHARACTERS = 2_000_000  # so that batches of long texts have fewer rows
FIRST_SKIPPED = 3


@dataclass(frozen=True, eq=False)
class Stream:
    """The columns of a file, and its rows, which can be iterated over once.

    Attributes:
        name: the file's name.
        columns: the unique names of the columns.
        records: the rows, with a cell for each column, and those that cannot be read, in the order of the file.
            The end of the iteration raises a `DataError` if no row could be read.
        reading: the file format and how it is read; its notes are complete when `records` is at its end.
        header_line: the line with the names of the columns; 0 if there is none.
    """

    name: str
    columns: tuple[str, ...]
    records: Iterator[Record | Skipped]
    reading: Reading
    header_line: int


def open_stream(source: str | Path, options: ReadOptions = DETECT, *, limits: Limits | None = None) -> Stream:
    """Open what `read_table` reads, but row by row: a text file may have any size and number of rows.

    The limit on the size of a workbook, a Parquet file or one JSON value holds: they are kept in memory while they are
    read.

    Raises:
        DataError: no such file, not a table, beyond a limit, or without rows; iterating over the rows can raise it too.
    """
    path, limits = Path(source), limits or Limits()
    with translate_read_errors(path.name or str(path)):
        start = read_start(path, KIND_BYTES)
        check_kind(path.name, start)
        content = read_bytes(path, limits) if start.startswith(BINARY_TABLES) else path
        return make_stream(path.name, content, limits, options)


def make_stream(name: str, content: Content, limits: Limits, options: ReadOptions = DETECT) -> Stream:
    """Detect the format of a file's content and the names of its columns.

    Raises:
        DataError: it is not a table, has too many columns, or no rows.
    """
    reading = read_records(name, content, limits, options)
    head = _take_head(reading.records)
    rows = [
        (index, record.cells)
        for index, record in enumerate(head)
        if isinstance(record, Record) and (reading.names or _has_text(record))
    ]
    if not rows:
        reason = _first_reason([record for record in head if isinstance(record, Skipped)])
        raise DataError(f"{name} is empty{reason}. It needs a line of column names and rows below it.")
    cells = [cells for _, cells in rows]
    if options.header_line and reading.names is None:
        choice = _header_on(name, options.header_line, [head[index].line for index, _ in rows])
    else:
        choice = choose_header(cells, names=options.header if reading.names is None else reading.names)
    first, below = cells[choice.titles], cells[choice.titles + choice.descriptions + 1 :]
    width = count_columns(first, below, header=choice.header)
    if width > limits.columns:
        raise DataError(
            f"{name} has {width:,} columns; at most {limits.columns:,} can be read here. "
            "Keep those of the text and the labels."
        )
    columns = column_names(first if choice.header else [""] * width, width)
    header_line = head[rows[choice.titles][0]].line if choice.header else 0
    _leave_out_header(head, [index for index, _ in rows], choice, reading.notes)
    return Stream(name, columns, _check_rows(name, chain(head, reading.records), width), reading, header_line)


def _header_on(name: str, line: int, lines: Sequence[int]) -> HeaderChoice:
    """Return the choice of the row that starts on a line of the file.

    Raises:
        DataError: none of the first rows does.
    """
    if line not in lines:
        shown = ", ".join(map(str, lines[:8])) + (", …" if len(lines) > 8 else "")
        raise DataError(
            f"Line {line} of {name} cannot name the columns: no row starts there, or it is not among the first "
            f"{HEAD_ROWS}. Rows start on the lines {shown}."
        )
    return HeaderChoice(header=True, titles=lines.index(line))


def _leave_out_header(head: list[Record | Skipped], rows: Sequence[int], choice: HeaderChoice, notes: Notes) -> None:
    """Take the names of the columns out of the first records; titles and descriptions are skipped, and noted."""
    first = head[rows[choice.titles]]
    below = range(choice.titles + 1, choice.titles + 1 + choice.descriptions)
    for kind, reason, places in (
        ("title", "above the column names: a title or a comment", range(choice.titles)),
        ("survey header", "describes the columns", below),
    ):
        for place in places:
            record = head[rows[place]]
            example = " ".join(record.cells) if isinstance(record, Record) else ""
            notes.add(kind, record.line, example=example)
            head[rows[place]] = Skipped(record.line, reason)
    if choice.decision:
        notes.add(choice.decision, first.line, what=choice.what)
    if choice.header:
        del head[rows[choice.titles]]


def find_column(name: str, columns: Sequence[str], column: str) -> int:
    """Return the index of a column.

    Raises:
        DataError: there is no such column; the message lists the columns that there are.
    """
    if column not in columns:
        shown = ", ".join(columns[:20]) + (", …" if len(columns) > 20 else "")
        raise DataError(f"{name} has no column {column!r}. Its columns are: {shown}.")
    return columns.index(column)


class Batches:
    """The rows of a stream in batches, with counts of the rows read so far.

    Attributes:
        row_count: rows that could be read.
        skipped_count: rows that could not.
        first_skipped: the first few of these.
    """

    def __init__(self, stream: Stream) -> None:
        self._records = stream.records
        self.row_count = self.skipped_count = 0
        self.first_skipped: list[Skipped] = []

    def __iter__(self) -> Iterator[list[Record]]:
        batch: list[Record] = []
        characters = 0
        for record in self._records:
            if isinstance(record, Skipped):
                self.skipped_count += 1
                if len(self.first_skipped) < FIRST_SKIPPED:
                    self.first_skipped.append(record)
                continue
            self.row_count += 1
            batch.append(record)
            characters += sum(map(len, record.cells))
            if len(batch) == BATCH_ROWS or characters > BATCH_CHARACTERS:
                yield batch
                batch, characters = [], 0
        if batch:
            yield batch


def _take_head(records: Iterator[Record | Skipped]) -> list[Record | Skipped]:
    """Take the first records, but no more cells than fit into memory with ease."""
    head: list[Record | Skipped] = []
    cells = 0
    for record in records:
        head.append(record)
        cells += len(record.cells) if isinstance(record, Record) else 0
        if len(head) > HEAD_ROWS or cells > HEAD_CELLS:
            break
    return head


def _first_reason(skipped: Sequence[Skipped]) -> str:
    return f" (line {skipped[0].line:,}: {skipped[0].reason})" if skipped else ""


def _has_text(record: Record) -> bool:
    return any(map(str.strip, record.cells))


def _check_rows(name: str, records: Iterator[Record | Skipped], width: int) -> Iterator[Record | Skipped]:
    """Yield the rows with the right number of cells, the others as skipped; empty cells at the end do not count.

    Raises:
        DataError: at the end, if no row could be used.
    """
    has_rows = False
    skipped: list[Skipped] = []
    for record in records:
        checked = _check_row(record, width) if isinstance(record, Record) else record
        if isinstance(checked, Record):
            has_rows = True
        elif not skipped:
            skipped.append(checked)
        yield checked
    if not has_rows:
        raise DataError(f"{name} has a header but no rows that can be used below it{_first_reason(skipped)}.")


def _check_row(record: Record, width: int) -> Record | Skipped:
    cells = record.cells
    while len(cells) > width and not cells[-1].strip():
        cells.pop()
    if not _has_text(record):
        return Skipped(record.line, "blank")
    if len(cells) != width:
        return Skipped(record.line, f"malformed: {len(cells):,} cells in place of {width:,}")
    return record
