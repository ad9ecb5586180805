"""A file -> a table of text, with each row's line in the file and nothing dropped silently."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from mtst.delimited import SAMPLE_CHARACTERS, find_dialect, read_delimited
from mtst.errors import DataError
from mtst.headers import column_names, count_columns, names_columns
from mtst.json_lines import BLANK, parse_object, read_json_lines
from mtst.limits import Limits
from mtst.records import Record, Skipped
from mtst.source import find_encoding, is_text, read_bytes, text_lines, text_stream
from mtst.workbook import ZIP, read_workbook, workbook_form

ROWS_COMPARED = 200  # with the first one, to tell whether it names the columns
CELLS_COMPARED = 500_000


@dataclass(frozen=True, eq=False)
class Table:
    """What a file holds: named columns and rows of text, each with its line number.

    Attributes:
        name: the file's name.
        columns: the columns' names, all different.
        rows: the rows that could be read, a cell a column.
        lines: for each row, the line of the file that it starts on, counted from 1 (the row, in a sheet).
        skipped: the rows that could not be read, and why.
        form: the format, delimiter and encoding that were found, in words.
        header: whether the first row names the columns.
        lost: characters that could not be decoded, and are U+FFFD.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    skipped: tuple[Skipped, ...] = ()
    form: str = "CSV"
    header: bool = True
    lost: int = 0

    def column(self, name: str) -> list[str]:
        """Return the cells of one column.

        Raises:
            DataError: there is no such column; the message lists those that are.
        """
        if name not in self.columns:
            shown = ", ".join(self.columns[:20]) + (", …" if len(self.columns) > 20 else "")
            raise DataError(f"{self.name} has no column {name!r}. Its columns are: {shown}.")
        index = self.columns.index(name)
        return [row[index] for row in self.rows]


def read_table(source: str | Path, limits: Limits | None = None, header: bool | None = None) -> Table:
    """Read CSV (comma, semicolon, tab or bar), JSON Lines or XLSX, also gzipped; format and encoding are found.

    `header` says whether the first row names the columns; left out, that is found too.

    Raises:
        DataError: no such file, not a table, beyond a limit, or without rows.
    """
    path, limits = Path(source), limits or Limits()
    raw = read_bytes(path, limits)
    form, records, named = _records(path.name, raw, limits)
    if named is not None:
        header = named
    start = _beginning(records)
    filled = [place for place, record in enumerate(start) if isinstance(record, Record) and (named or _filled(record))]
    if not filled:
        why = _first([record for record in start if isinstance(record, Skipped)])
        raise DataError(f"{path.name} is empty{why}. It needs a line of column names and rows below it.")
    first, *others = filled
    cells = start[first].cells
    below = [start[place].cells for place in others]
    if header is None:
        header = names_columns(cells, below)
    width = count_columns(cells, below, header=header)
    if width > limits.columns:
        raise DataError(
            f"{path.name} has {width:,} columns; at most {limits.columns:,} can be read here. "
            "Keep those of the text and the labels."
        )
    columns = column_names(cells if header else [""] * width, width)
    if header:
        del start[first]
    rows, lines, skipped = _collect(path.name, chain(start, records), width, limits)
    if not rows:
        raise DataError(f"{path.name} has a header but no rows that can be used below it{_first(skipped)}.")
    lost = sum(cell.count("\ufffd") for row in rows for cell in row)
    return Table(path.name, columns, rows, lines, skipped, form, header, lost)


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


def _records(name: str, raw: bytes, limits: Limits) -> tuple[str, Iterator[Record | Skipped], bool | None]:
    """Find out what a file is by what is in it: its format in words, its records, and whether they begin with names."""
    if raw.startswith(ZIP):
        return workbook_form(raw), read_workbook(name, raw, limits), None
    encoding = find_encoding(raw)
    if not is_text(raw, encoding):
        raise DataError(f"{name} is not a text file. Save the table as CSV (UTF-8) and choose that file.")
    known = "UTF-8" if encoding.startswith("utf-8") else encoding.upper()
    start = text_stream(raw[: 4 * SAMPLE_CHARACTERS], encoding).read(SAMPLE_CHARACTERS)
    if start.lstrip(BLANK).startswith("[") and "{" in start[:100]:
        raise DataError(f"{name} is one JSON list. Save it as JSON Lines: one object a line, no commas between them.")
    line = next(filter(None, (line.strip(BLANK) for line in text_lines(name, raw, encoding))), "")
    if parse_object(line) is not None:
        return f"JSON Lines, {known}", read_json_lines(name, raw, encoding, limits), True
    dialect = find_dialect(start)
    return f"{dialect.form}, {known}", read_delimited(name, raw, encoding, dialect), None


def _collect(
    name: str, records: Iterator[Record | Skipped], width: int, limits: Limits
) -> tuple[tuple[tuple[str, ...], ...], tuple[int, ...], tuple[Skipped, ...]]:
    """Take the rows that have the right number of cells, up to the limits; empty cells at the end do not count."""
    rows: list[tuple[str, ...]] = []
    lines: list[int] = []
    skipped: list[Skipped] = []
    for record in records:
        if len(rows) + len(skipped) == limits.rows:
            raise DataError(
                f"{name} has more than {limits.rows:,} rows, the most that can be read here. Keep that many."
            )
        if isinstance(record, Skipped):
            skipped.append(record)
            continue
        cells = record.cells
        while len(cells) > width and not cells[-1].strip():
            cells.pop()
        if not _filled(record):
            skipped.append(Skipped(record.line, "blank"))
        elif len(cells) != width:
            skipped.append(Skipped(record.line, f"malformed: {len(cells):,} cells in place of {width:,}"))
        elif (len(rows) + 1) * width > limits.cells:
            raise DataError(
                f"{name} has more than {limits.cells:,} cells ({width:,} columns), the most that can be read here. "
                "Keep the columns of the text and the labels."
            )
        else:
            rows.append(tuple(cells))
            lines.append(record.line)
    return tuple(rows), tuple(lines), tuple(skipped)
