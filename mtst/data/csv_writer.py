"""CSV files in which no cell runs as a formula, whatever spreadsheet opens them."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO
from pathlib import Path

from mtst.errors import DataError

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def spreadsheet_safe(cell: str) -> str:
    """Return a cell that a spreadsheet shows and does not run: one that begins like a formula gets a quote before it.

    A cell that begins with a quote gets one more, so taking one quote away gives every cell back as it was.
    """
    return f"'{cell}" if cell.startswith((*FORMULA, "'")) else cell


def csv_bytes(rows: Iterable[Sequence[object]]) -> bytes:
    """Return rows as they stand in a CSV file (UTF-8), with every text made safe."""
    lines = StringIO(newline="")
    csv.writer(lines).writerows(map(_safe, rows))
    return lines.getvalue().encode()


def write_csv(target: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Write a CSV file (UTF-8) with every text made safe; return the number of rows below the header.

    Raises:
        DataError: the file cannot be written.
    """
    count = 0
    try:
        with target.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(_safe(header))
            for count, row in enumerate(rows, 1):  # noqa: B007 (the last one is the number of rows)
                writer.writerow(_safe(row))
    except OSError as error:
        raise DataError(f"{target} cannot be written: {error.strerror}.") from error
    return count


def _safe(row: Sequence[object]) -> list[object]:
    return [spreadsheet_safe(cell) if isinstance(cell, str) else cell for cell in row]
