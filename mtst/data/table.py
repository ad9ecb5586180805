"""A file -> a table of text, with the line of each row in the file, and every skipped row with its reason."""

from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory

from mtst.data.limits import Limits
from mtst.data.readers.hub_dataset import fetch_table
from mtst.data.readers.notes import Oddity
from mtst.data.readers.options import DETECT, ReadOptions
from mtst.data.readers.records import Skipped
from mtst.data.readers.source import read_bytes
from mtst.data.readers.stream import Stream, find_column, make_stream
from mtst.errors import DataError


@dataclass(frozen=True, eq=False)
class Table:
    """The content of a file: named columns, and rows of text with their line numbers.

    Attributes:
        name: the file's name.
        columns: the unique names of the columns.
        rows: the rows that could be read, with a cell for each column.
        lines: for each row, the line of the file that it starts on, counted from 1; in a sheet, its row number.
        skipped: the rows that could not be read, and why.
        format: the detected file format, delimiter and encoding, in words.
        header_line: the line with the names of the columns, counted from 1; 0 if no line has them, or the format has
            them elsewhere.
        undecodable: how many characters could not be decoded and became U+FFFD.
        encoding: the encoding of a text, as Python names it.
        delimiter: what separates the cells of a delimited text.
        sheets: the names of the sheets of a workbook, of the tables of an archive, or of the splits of a dataset.
        sheet: the one that was read.
        decisions: what the reader decided about the file, for a person to check.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    skipped: tuple[Skipped, ...] = ()
    format: str = "CSV"
    header_line: int = 1
    undecodable: int = 0
    encoding: str = ""
    delimiter: str = ""
    sheets: tuple[str, ...] = ()
    sheet: str = ""
    decisions: tuple[Oddity, ...] = ()

    def column(self, name: str) -> list[str]:
        """Return the cells of one column.

        Raises:
            DataError: there is no such column; the message lists the columns that there are.
        """
        index = find_column(self.name, self.columns, name)
        return [row[index] for row in self.rows]


def read_table(source: str | Path, limits: Limits | None = None, options: ReadOptions = DETECT) -> Table:
    """Read a table, whatever its format; `options` says what is not to be detected.

    The formats are delimited text, JSON Lines, JSON, Parquet, XLSX, ODS and the labelled lines of fastText and TREC;
    any of them may be packed with gzip or zstd, or alone in a ZIP archive.

    Raises:
        DataError: no such file, not a table, beyond a limit, or without rows.
    """
    path, limits = Path(source), limits or Limits()
    return _make_table(make_stream(path.name, read_bytes(path, limits), limits, options), limits)


def read_hub_table(name: str, limits: Limits | None = None, options: ReadOptions = DETECT) -> Table:
    """Download and read a table of a dataset of the Hub; `options.sheet` names the split, or subset/split.

    The training split is read if none is named. The splits there are stand in `Table.sheets`; nothing stays on the
    disk.

    Raises:
        DataError: no such dataset or split, not a table, beyond a limit, or the Hub does not answer.
    """
    limits = limits or Limits()
    with TemporaryDirectory() as folder:
        files = fetch_table(name, options.sheet, limits, Path(folder))
        reading, parts, left = replace(options, sheet=""), [], limits
        for path in files.paths:
            parts.append(_make_table(make_stream(name, read_bytes(path, left), left, reading), left))
            left = _remaining(name, left, parts[-1])
    return replace(_concatenate(parts), sheets=files.tables, sheet=files.table)


def _remaining(name: str, limits: Limits, table: Table) -> Limits:
    """Return what may still be read after a part of a table.

    Raises:
        DataError: nothing.
    """
    rows = limits.rows - len(table.rows) - len(table.skipped)
    megabytes = limits.megabytes - sum(len(cell) for row in table.rows for cell in row) / 1e6
    if rows <= 0 or megabytes <= 0:
        raise DataError(f"{name} has more rows or text than can be read here. Choose another split.")
    return replace(limits, rows=rows, megabytes=megabytes)


def _concatenate(parts: list[Table]) -> Table:
    """Return the rows of all parts as one table; lines are counted on from part to part.

    Raises:
        DataError: the parts have not the same columns.
    """
    first, *others = parts
    for part in others:
        if part.columns != first.columns:
            raise DataError(f"The files of {first.name} have not the same columns. Download them, and choose one.")
    offsets = list(accumulate((max(part.lines, default=0) for part in parts), initial=0))
    return replace(
        first,
        rows=tuple(row for part in parts for row in part.rows),
        lines=tuple(line + offset for part, offset in zip(parts, offsets, strict=False) for line in part.lines),
        skipped=tuple(
            replace(row, line=row.line + offset)
            for part, offset in zip(parts, offsets, strict=False)
            for row in part.skipped
        ),
        undecodable=sum(part.undecodable for part in parts),
    )


def _make_table(stream: Stream, limits: Limits) -> Table:
    """Return all rows of a stream as a table.

    Raises:
        DataError: there are more than the limits allow, or none.
    """
    rows, lines, skipped = _collect(stream, limits)
    reading = stream.reading
    return Table(
        stream.name,
        stream.columns,
        rows,
        lines,
        skipped,
        reading.format,
        stream.header_line,
        undecodable=sum(cell.count("\ufffd") for row in rows for cell in row),
        encoding=reading.encoding,
        delimiter=reading.delimiter,
        sheets=reading.sheets,
        sheet=reading.sheet,
        decisions=reading.notes.oddities(),
    )


def _collect(
    stream: Stream, limits: Limits
) -> tuple[tuple[tuple[str, ...], ...], tuple[int, ...], tuple[Skipped, ...]]:
    """Return the rows, their lines and the skipped rows.

    Raises:
        DataError: there are more rows or cells than the limits allow, or none.
    """
    width = len(stream.columns)
    rows: list[tuple[str, ...]] = []
    lines: list[int] = []
    skipped: list[Skipped] = []
    for record in stream.records:
        if len(rows) + len(skipped) == limits.rows:
            raise DataError(
                f"{stream.name} has more than {limits.rows:,} rows, the most that can be read here. Keep that many."
            )
        if isinstance(record, Skipped):
            skipped.append(record)
        elif (len(rows) + 1) * width > limits.cells:
            raise DataError(
                f"{stream.name} has more than {limits.cells:,} cells ({width:,} columns), the most that can be read "
                "here. Keep the columns of the text and the labels."
            )
        else:
            rows.append(tuple(record.cells))
            lines.append(record.line)
    return tuple(rows), tuple(lines), tuple(skipped)
