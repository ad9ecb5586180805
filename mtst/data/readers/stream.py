"""A file -> its columns and a stream of its rows; a text file of any length takes little memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from mtst.data.limits import Limits
from mtst.data.readers.delimited import SAMPLE_CHARACTERS, find_dialect, read_delimited
from mtst.data.readers.encoding import find_encoding, is_text, text_lines, text_stream
from mtst.data.readers.header import column_names, count_columns, names_columns
from mtst.data.readers.json_lines import BLANK, has_half_character, parse_object, read_json_lines
from mtst.data.readers.records import Record, Skipped
from mtst.data.readers.source import ZIP, Content, check_kind, read_bytes, read_start, translate_read_errors
from mtst.errors import DataError

HEAD_ROWS = 200  # with which the first row is compared to find out whether it is a header
HEAD_CELLS = 500_000
BATCH_ROWS = 4_096
BATCH_CHARACTERS = 2_000_000  # so that batches of long texts have fewer rows
FIRST_SKIPPED = 3
JSON_LINES = "JSON Lines"


@dataclass(frozen=True, eq=False)
class Stream:
    """The columns of a file, and its rows, which can be iterated over once.

    Attributes:
        name: the file's name.
        columns: the unique names of the columns.
        records: the rows, with a cell for each column, and those that cannot be read, in the order of the file.
            The end of the iteration raises a `DataError` if no row could be read.
        format: the detected file format, delimiter and encoding, in words.
        header: whether the first row names the columns.
    """

    name: str
    columns: tuple[str, ...]
    records: Iterator[Record | Skipped]
    format: str
    header: bool


def open_stream(source: str | Path, *, header: bool | None = None, limits: Limits | None = None) -> Stream:
    """Open what `read_table` reads, but row by row: a text file may have any size and number of rows.

    The limit on the size of a workbook holds: its texts are kept in memory while it is read, for the file stores each
    of them once.

    Raises:
        DataError: no such file, not a table, beyond a limit, or without rows; iterating over the rows can raise it too.
    """
    path, limits = Path(source), limits or Limits()
    with translate_read_errors(path.name or str(path)):
        start = read_start(path, 16)
        check_kind(path.name, start)
        content = read_bytes(path, limits) if start.startswith(ZIP) else path
        return make_stream(path.name, content, limits, header=header)


def make_stream(name: str, content: Content, limits: Limits, *, header: bool | None) -> Stream:
    """Detect the format of a file's content and the names of its columns.

    Raises:
        DataError: it is not a table, has too many columns, or no rows.
    """
    file_format, records = _read_records(name, content, limits)
    begins_with_names = file_format.startswith(JSON_LINES)
    if begins_with_names:
        header = True
    head = _take_head(records)
    rows = [
        (index, record.cells)
        for index, record in enumerate(head)
        if isinstance(record, Record) and (begins_with_names or _has_text(record))
    ]
    if not rows:
        reason = _first_reason([record for record in head if isinstance(record, Skipped)])
        raise DataError(f"{name} is empty{reason}. It needs a line of column names and rows below it.")
    first_index, first = rows[0]
    below = [cells for _, cells in rows[1:]]
    if header is None:
        header = names_columns(first, below)
    width = count_columns(first, below, header=header)
    if width > limits.columns:
        raise DataError(
            f"{name} has {width:,} columns; at most {limits.columns:,} can be read here. "
            "Keep those of the text and the labels."
        )
    columns = column_names(first if header else [""] * width, width)
    if header:
        del head[first_index]
    return Stream(name, columns, _check_rows(name, chain(head, records), width), file_format, header)


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


def _read_records(name: str, content: Content, limits: Limits) -> tuple[str, Iterator[Record | Skipped]]:
    """Detect the format of a file's content; return it in words, and the records.

    The first record of JSON Lines holds the keys.
    """
    if isinstance(content, bytes) and content.startswith(ZIP):
        from mtst.data.readers.xlsx import describe_workbook, read_workbook

        return describe_workbook(content), read_workbook(name, content, limits)
    encoding = find_encoding(content)
    if not is_text(content, encoding):
        raise DataError(f"{name} is not a text file. Save the table as CSV (UTF-8) and choose that file.")
    encoding_name = "UTF-8" if encoding.startswith("utf-8") else encoding.upper()
    start = text_stream(read_start(content, 4 * SAMPLE_CHARACTERS), encoding).read(SAMPLE_CHARACTERS)
    if start.lstrip(BLANK).startswith("[") and "{" in start[:100]:
        raise DataError(f"{name} is one JSON list. Save it as JSON Lines: one object a line, no commas between them.")
    line = next(filter(None, (line.strip(BLANK) for line in text_lines(name, content, encoding))), "")
    if parse_object(line) is not None or has_half_character(line):
        return f"{JSON_LINES}, {encoding_name}", read_json_lines(name, content, encoding, limits)
    dialect = find_dialect(start)
    return f"{dialect.format}, {encoding_name}", read_delimited(name, content, encoding, dialect)


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
