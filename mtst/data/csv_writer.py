"""Write CSV files in which no spreadsheet runs a cell as a formula."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO
from pathlib import Path

from mtst.errors import DataError

FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def spreadsheet_safe(cell: str) -> str:
    """Return the cell, with a quote before it if a spreadsheet could run it as a formula.

    A cell that begins with a quote gets one more, so removing one quote restores every cell.
    """
    return f"'{cell}" if cell.startswith((*FORMULA_PREFIXES, "'")) else cell


def csv_bytes(rows: Iterable[Sequence[object]]) -> bytes:
    """Return rows as CSV (UTF-8), with every text made safe."""
    buffer = StringIO(newline="")
    csv.writer(buffer).writerows(map(_safe, rows))
    return buffer.getvalue().encode()


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Write a CSV file (UTF-8) with every text made safe; return the number of rows below the header.

    Raises:
        DataError: the file cannot be written.
    """
    count = 0
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(_safe(header))
            for count, row in enumerate(rows, 1):  # noqa: B007 (returned)
                writer.writerow(_safe(row))
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}.") from error
    return count


def _safe(row: Sequence[object]) -> list[object]:
    return [spreadsheet_safe(cell) if isinstance(cell, str) else cell for cell in row]
