"""A delimited text file -> a table of text, with each row's line number and nothing dropped silently."""

import csv
import io
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mtst.errors import DataError

ENCODINGS = ("utf-8-sig", "cp1252", "latin-1")  # the last one reads anything
DELIMITERS = ",;\t|"
csv.field_size_limit(2**31 - 1)  # of the whole process; a cell may be as long as the file, which has a limit of its own


@dataclass(frozen=True)
class Skipped:
    """A row of the file that was not used: the line it starts on, counted from 1, and why."""

    line: int
    reason: str


@dataclass(frozen=True, eq=False)
class Table:
    """What a file holds: named columns and rows of text, each with its line number."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    skipped: tuple[Skipped, ...] = ()

    def column(self, name: str) -> list[str]:
        """Return the cells of one column.

        Raises:
            DataError: there is no such column; the message lists those that are.
        """
        if name not in self.columns:
            raise DataError(f"{self.name} has no column {name!r}. Its columns are: {', '.join(self.columns)}.")
        index = self.columns.index(name)
        return [row[index] for row in self.rows]


def read_table(source: str | Path, max_rows: int = 1_000_000, max_megabytes: float = 1_000.0) -> Table:
    """Read a delimited text file with a header; the delimiter and the encoding are found.

    Raises:
        DataError: no such file, not text, too large, no header or no rows.
    """
    path = Path(source)
    try:
        size = path.stat().st_size
        raw = path.read_bytes() if size <= max_megabytes * 1e6 else None
    except OSError as error:
        raise DataError(f"{path.name or path} cannot be read: {error.strerror or error}.") from error
    if raw is None:
        raise DataError(f"{path.name} has {size / 1e6:.1f} MB; at most {max_megabytes:g} MB can be read here.")
    if b"\0" in raw[:65536]:
        raise DataError(f"{path.name} is not a text file. Save the table as CSV (UTF-8) and choose that file.")
    text = next(decoded for encoding in ENCODINGS if (decoded := _decode(raw, encoding)) is not None)
    return _parse(path.name, text, max_rows)


def _decode(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None


def _parse(name: str, text: str, max_rows: int) -> Table:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    rows: list[tuple[str, ...]] = []
    lines: list[int] = []
    skipped: list[Skipped] = []
    columns: tuple[str, ...] = ()
    line = start = 1
    try:
        for cells in reader:
            start, line = line, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if not columns:
                columns = _header(cells)
            elif len(cells) != len(columns):
                skipped.append(Skipped(start, f"has {len(cells)} cells where the header has {len(columns)}"))
            elif len(rows) == max_rows:
                raise DataError(f"{name} has more than {max_rows:,} rows, the most that can be read here.")
            else:
                rows.append(tuple(cells))
                lines.append(start)
    except csv.Error as error:
        raise DataError(f"{name} cannot be read as CSV at line {reader.line_num}: {error}.") from error
    if _open_quote(text, start):
        raise DataError(
            f'{name}: the row on line {start:,} opens a quote (") that is never closed. Close or remove it.'
        )
    if not columns:
        raise DataError(f"{name} is empty. It needs a header line and rows below it.")
    if not rows:
        raise DataError(f"{name} has a header but no rows that can be used below it.")
    return Table(name, columns, tuple(rows), tuple(lines), tuple(skipped))


def _open_quote(text: str, line: int) -> bool:
    """Tell whether the record that starts on a line swallowed the rest of the text: its quotes are odd in number."""
    rest = io.StringIO(text, newline="").readlines()[line - 1 :]
    return len(rest) > 1 and sum(piece.count('"') for piece in rest) % 2 == 1


def _delimiter(text: str) -> str:
    """The candidate that the header holds most of, outside quotes; a comma where it holds none."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    header = "".join(first.split('"')[::2])
    return max(DELIMITERS, key=header.count)


def _header(cells: Sequence[str]) -> tuple[str, ...]:
    """Column names without surrounding blanks; a blank one gets a number, a repeated one a suffix."""
    names: list[str] = []
    for number, cell in enumerate(cells, 1):
        name = base = cell.strip() or f"column {number}"
        copies = 1
        while name in names:
            copies += 1
            name = f"{base} ({copies})"
        names.append(name)
    return tuple(names)


def guess_columns(table: Table) -> tuple[str, tuple[str, ...]]:
    """Guess the column of the sentences and up to two columns of labels; the labels may be none.

    The text is the column with the longest distinct cells. A label column repeats a few short values; those whose
    values are words come before those whose values are numbers.
    """
    cells = {name: [cell.strip() for cell in table.column(name)[:2000]] for name in table.columns}
    text = max(table.columns, key=lambda name: _textness(cells[name]))
    candidates = [name for name in table.columns if name != text and _labelness(cells[name]) > 0]
    best = sorted(candidates, key=lambda name: -_labelness(cells[name]))[:2]
    return text, tuple(name for name in table.columns if name in best)


def _textness(cells: list[str]) -> float:
    filled = [cell for cell in cells if cell]
    if not filled:
        return 0.0
    words = statistics.mean(len(cell.split()) for cell in filled)
    return words * len(set(filled)) / len(cells)


def _labelness(cells: list[str]) -> float:
    filled = [cell for cell in cells if cell]
    kinds = len(set(filled))
    if not 2 <= kinds <= min(50, max(2, len(filled) // 3)):
        return 0.0
    words = statistics.mean(not cell.replace(".", "").lstrip("-").isdigit() for cell in filled)
    return (0.05 + words) * len(filled) / len(cells) / kinds**0.25
