"""XLSX -> records, read as a stream and never unpacked beyond the limit."""

import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, time
from io import BytesIO

import openpyxl

from mtst.errors import DataError
from mtst.limits import Limits
from mtst.records import Record

ZIP = b"PK\x03\x04"
UNPACKED = 5  # times the limit in megabytes, for the XML of a workbook, which is wordy
EMPTY = 10  # times the limit in cells, for a sheet of which most are empty
WORKBOOK = "xl/workbook.xml"
ROWS_AND_STRINGS = ("xl/worksheets/", "xl/sharedStrings.xml")
MAX_PART_BYTES = 500_000  # of every other part of a workbook, because it is held in memory as a whole


def read_workbook(name: str, raw: bytes, limits: Limits) -> Iterator[Record]:
    """Read the first sheet that has rows, as a stream: what is not text yet becomes the text that a sheet shows."""
    try:
        _check_parts(name, raw, limits)
        with closing(openpyxl.load_workbook(BytesIO(raw), read_only=True, data_only=True, keep_links=False)) as book:
            seen = width = 0
            for sheet in book.worksheets:
                for number, values in enumerate(sheet.iter_rows(values_only=True), 1):
                    seen += 1 + len(values)
                    if seen > EMPTY * limits.cells:
                        raise DataError(f"{name} has too many empty cells. Save the sheet as CSV.")
                    cells = [_cell_text(value) for value in values]
                    while cells and not cells[-1]:
                        cells.pop()
                    if cells:
                        width = width or len(cells)
                        yield Record(number, cells + [""] * (width - len(cells)))
                if width:
                    return
    except DataError:
        raise
    except Exception as error:  # openpyxl has no error of its own: a damaged part ends in whatever it trips over
        raise DataError(
            f"{name} cannot be read as XLSX ({error}). Open it, save it again, or save it as CSV."
        ) from error


def _check_parts(name: str, raw: bytes, limits: Limits) -> None:
    """Refuse what is no workbook, and one that unpacks to too much; a part cannot hold more than it declares."""
    try:
        with zipfile.ZipFile(BytesIO(raw)) as archive:
            sizes = {part.filename: part.file_size for part in archive.infolist()}
    except zipfile.BadZipFile as error:
        raise DataError(f"{name} is a damaged XLSX file or ZIP archive. Save it again.") from error
    if WORKBOOK not in sizes:
        raise DataError(f"{name} is a ZIP archive and not a table. Unpack it and choose the CSV or XLSX file in it.")
    most = UNPACKED * limits.bytes
    if sum(sizes.values()) > most:
        raise DataError(
            f"{name} unpacks to more than {most / 1e6:,.0f} MB, the most that can be read here. "
            "Keep fewer rows, or save the sheet as CSV."
        )
    for part, size in sizes.items():
        if size > MAX_PART_BYTES and part.endswith((".xml", ".rels")) and not part.startswith(ROWS_AND_STRINGS):
            raise DataError(f"{name} has a part, {part}, that is too large to be read here. Save the sheet as CSV.")


def _cell_text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).upper()
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case datetime():
            return value.isoformat(sep=" ")
        case date() | time():
            return value.isoformat()
        case _:
            return str(value)
