"""XLSX -> records, read as a stream and never unpacked beyond the limit.

openpyxl would build a tree of what it reads, empty rows and all, and so a small file can make it take gigabytes.
"""

import posixpath
import struct
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from itertools import chain, islice
from xml.parsers import expat

from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH

from mtst.data.limits import Limits
from mtst.data.readers.records import Record
from mtst.data.readers.xlsx_cells import Format, column_number, number_text, read_formats, unescaped
from mtst.data.readers.xlsx_xml import Element, elements
from mtst.errors import DataError

DIRECTORY = b"PK\x01\x02"  # of a ZIP archive, what each entry of its directory begins with
MAX_PARTS = 10_000
MAX_PART_BYTES = 5_000_000  # of a part of which a list is kept, other than the texts
UNPACKED = 5  # times the limit in megabytes, for XML is wordy
ELEMENTS = 3  # for each cell that the limits allow
SPARE_ELEMENTS = 1_000_000
ROWS_MEASURED = 200  # to find out how many columns a sheet has
WORKBOOK = "xl/workbook.xml"
SHEETS = "xl/worksheets/"
RELATIONS = "xl/_rels/workbook.xml.rels"
DAMAGED = (
    zipfile.BadZipFile, zlib.error, struct.error, expat.ExpatError, EOFError, OSError, RuntimeError, LookupError,
    ValueError,
)  # fmt: skip
DIGITS = "0123456789"


def read_workbook(name: str, raw: bytes, limits: Limits) -> Iterator[Record]:
    """Read the first sheet that has rows, as a stream: what is not text yet becomes the text that a sheet shows.

    Raises:
        DataError: it is no workbook, is damaged, or goes beyond a limit.
    """
    try:
        if raw.count(DIRECTORY) > MAX_PARTS:
            raise ValueError(f"it has more than {MAX_PARTS:,} parts")
        with zipfile.ZipFile(BytesIO(raw)) as archive:
            if WORKBOOK not in archive.namelist():
                raise DataError(
                    f"{name} is a ZIP archive and not a table. Unpack it and choose the CSV or XLSX file in it."
                )
            yield from _Workbook(archive, limits).records()
    except DAMAGED as error:
        why = str(error).strip("'\"")
        raise DataError(
            f"{name} cannot be read as XLSX: {why}. Open it and save it again, with fewer rows, or save it as CSV."
        ) from error


def describe_workbook(raw: bytes) -> str:
    """Return the format in words; of several sheets one is read, which should not go unsaid."""
    try:
        with zipfile.ZipFile(BytesIO(raw if raw.count(DIRECTORY) <= MAX_PARTS else b"")) as archive:
            sheets = sum(name.startswith(SHEETS) and name.endswith(".xml") for name in archive.namelist())
    except DAMAGED:  # which `read_workbook` reports
        sheets = 0
    return f"XLSX, the first of {sheets} sheets that has rows" if sheets > 1 else "XLSX"


class _Workbook:
    """The parts of a workbook that hold its texts, its styles and its sheets."""

    def __init__(self, archive: zipfile.ZipFile, limits: Limits) -> None:
        self._archive = archive
        self._limits = limits
        self._bytes = self._elements = self._characters = 0
        places: dict[str, str] = {}  # of the sheets
        others: dict[str, str] = {}
        for _, _, attributes, _ in self._small_part(RELATIONS):
            kind = attributes.get("Type", "").rpartition("/")[2]
            path = posixpath.normpath(posixpath.join("/xl", attributes.get("Target", ""))).lstrip("/")
            if kind == "worksheet":
                places[attributes.get("Id", "")] = path
            else:
                others[kind] = path
        self._strings = self._read_strings(others["sharedStrings"]) if "sharedStrings" in others else []
        self._formats = read_formats(self._small_part(others["styles"])) if "styles" in others else []
        self._epoch = WINDOWS_EPOCH
        sheets: dict[str, None] = {}
        for name, _, attributes, _ in self._small_part(WORKBOOK):
            if name == "sheet" and (found := places.get(_relation(attributes))):
                sheets[found] = None
            elif name == "workbookPr" and attributes.get("date1904") in {"1", "true"}:
                self._epoch = MAC_EPOCH
        self._sheets = tuple(sheets)

    def records(self) -> Iterator[Record]:
        """Yield the rows of the first sheet that has some, as wide as the widest of the first."""
        for sheet in self._sheets:
            rows = self._rows(sheet)
            if first := list(islice(rows, ROWS_MEASURED)):
                width = max(len(row.cells) for row in first)
                for row in chain(first, rows):
                    row.cells.extend([""] * (width - len(row.cells)))
                    yield row
                return

    def _small_part(self, path: str) -> Iterator[Element]:
        if self._archive.getinfo(path).file_size > MAX_PART_BYTES:
            raise ValueError(f"its part {path} is larger than {MAX_PART_BYTES / 1e6:g} MB")
        return self._part(path)

    def _part(self, path: str) -> Iterator[Element]:
        """Yield the elements of a part; a limit holds for all the parts that are read together."""
        part = self._archive.getinfo(path)
        self._bytes += part.file_size  # it cannot hold more than it declares
        if self._bytes > UNPACKED * self._limits.bytes:
            raise ValueError(f"it unpacks to more than {UNPACKED * self._limits.megabytes:,g} MB")
        if part.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:  # the others unpack without a bound
            raise ValueError(f"its part {path} is packed in an unusual way")
        most = ELEMENTS * self._limits.cells + SPARE_ELEMENTS
        with self._archive.open(part) as file:
            for some in elements(file):
                self._elements += len(some)
                if self._elements > most:
                    raise ValueError(f"it has more than {most:,} cells and other elements")
                yield from some

    def _count(self, text: str) -> str:
        """Keep what all texts take together within the limit of a file that holds them once."""
        self._characters += len(text)
        if self._characters > self._limits.bytes:
            raise ValueError(f"it holds more than {self._limits.megabytes:g} million characters")
        return text

    def _read_strings(self, path: str) -> list[str]:
        strings: list[str] = []
        pieces: list[str] = []
        for name, parent, _, text in self._part(path):
            if name == "t" and parent != "rPh":  # which tells how to say the text, in Japanese
                pieces.append(self._count(text))
            elif name == "si":
                strings.append(unescaped("".join(pieces)))
                pieces.clear()
                if len(strings) > self._limits.cells:
                    raise ValueError(f"it has more than {self._limits.cells:,} texts")
        self._characters = 0
        return strings

    def _rows(self, path: str) -> Iterator[Record]:
        """Yield the rows that hold something, their cells up to the last one that does."""
        number = place = 0
        cells: dict[int, str] = {}
        value, pieces = "", []
        for name, parent, attributes, text in self._part(path):
            if name == "c":
                place = column_number(attributes["r"].rstrip(DIGITS)) if "r" in attributes else place + 1
                if (value or pieces) and (shown := self._text(attributes, value, pieces)):
                    if place > self._limits.columns:
                        raise ValueError(f"it has a cell beyond column {self._limits.columns:,}")
                    cells[place] = shown if pieces else self._count(shown)
                value, pieces = "", []
            elif name == "v":
                value = text
            elif name == "t" and parent != "rPh":
                pieces.append(self._count(text))
            elif name == "row":
                number = int(attributes.get("r", number + 1))
                if cells:
                    yield Record(number, [cells.get(n, "") for n in range(1, max(cells) + 1)])
                    cells = {}
                place = 0

    def _text(self, attributes: dict[str, str], value: str, pieces: list[str]) -> str:
        match attributes.get("t", "n"):
            case "inlineStr":
                return unescaped("".join(pieces))
            case "s" if value:
                return self._strings[int(value)]
            case "b" if value:
                return "TRUE" if int(value) else "FALSE"
            case "str":
                return unescaped(value)
            case "d":
                return value.replace("T", " ")
            case "n" if value:
                style = int(attributes.get("s", "0"))
                form = self._formats[style] if style < len(self._formats) else Format()
                return number_text(value, form, self._epoch)
            case _:
                return value


def _relation(attributes: dict[str, str]) -> str:
    """Return what a sheet's entry points to: its attribute `id`, whatever the prefix."""
    return next((value for key, value in attributes.items() if key.rpartition(":")[2] == "id"), "")
