"""Which sheet of a workbook, or which file of an archive, is read."""

from collections.abc import Sequence

from mtst.data.readers.notes import Notes
from mtst.errors import DataError

HEAD_ROWS = 200  # from which the number of columns of a sheet is measured
NAMES_SHOWN = 8


def is_table(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first rows of a sheet are those of a table: most of them fill two cells or more."""
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows]
    return len(filled) > 1 and 2 * sum(count > 1 for count in filled) >= len(filled)


def find_sheet(name: str, sheets: Sequence[str], wanted: str) -> int:
    """Return the index of the sheet that the user names.

    Raises:
        DataError: there is no such sheet; the message lists those that there are.
    """
    names = [sheet.strip().casefold() for sheet in sheets]
    if wanted.strip().casefold() in names:
        return names.index(wanted.strip().casefold())
    raise DataError(f"{name} has no sheet or file {wanted[:60]!r}. It has: {list_sheets(sheets)}.")


def list_sheets(sheets: Sequence[str]) -> str:
    """Return the names of the first sheets in words."""
    shown = ", ".join(f"“{sheet[:40]}”" for sheet in sheets[:NAMES_SHOWN])
    return shown + (f" and {len(sheets) - NAMES_SHOWN:,} more" if len(sheets) > NAMES_SHOWN else "")


def note_sheet(notes: Notes, sheets: Sequence[str], sheet: str, kind: str = "sheet") -> None:
    """Note which of several sheets is read."""
    if len(sheets) > 1:
        others = list_sheets([each for each in sheets if each != sheet])
        notes.add("sheet", what=f"Only the {kind} “{sheet[:40]}” is read. The others: {others}.", count=len(sheets) - 1)
