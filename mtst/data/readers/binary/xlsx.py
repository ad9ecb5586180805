"""XLSX -> records, read as a stream and never unpacked beyond the limit.

openpyxl would build a tree of all it reads, with empty rows, so a small file could make it take gigabytes of memory.
"""

import posixpath
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, islice
from xml.parsers import expat

from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH

from mtst.data.limits import Limits
from mtst.data.readers.binary.mixed_types import MixedTypes
from mtst.data.readers.binary.sheets import HEAD_ROWS, find_sheet, is_table, note_sheet
from mtst.data.readers.binary.xlsx_cells import NumberFormat, column_number, number_text, read_formats, unescape
from mtst.data.readers.binary.xlsx_xml import Element, iter_elements
from mtst.data.readers.notes import Notes
from mtst.data.readers.options import ReadOptions
from mtst.data.readers.records import Reading, Record
from mtst.errors import DataError

DIRECTORY_ENTRY = b"PK\x01\x02"  # begins each entry in the directory of a ZIP archive
MAX_PARTS = 10_000
MAX_PART_BYTES = 5_000_000  # of a part that is kept as a list, except the texts
UNPACKED_FACTOR = 5  # unpacked bytes for each byte of the limit: XML is verbose
ELEMENTS_PER_CELL = 3
SPARE_ELEMENTS = 1_000_000
WORKBOOK = "xl/workbook.xml"
RELATIONS = "xl/_rels/workbook.xml.rels"
DAMAGE_ERRORS = (
    zipfile.BadZipFile, zlib.error, struct.error, expat.ExpatError, EOFError, OSError, RuntimeError, LookupError,
    ValueError,
)  # fmt: skip
TYPED = ("n", "b")  # types of cells: numbers, and TRUE or FALSE
DIGITS = "0123456789"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def read_workbook(name: str, archive: zipfile.ZipFile, limits: Limits, options: ReadOptions) -> Reading:
    """Return the rows of a sheet; numbers, dates and the like become the text that the sheet shows.

    The sheet is the one that is asked for, or the first that looks like a table, or else the first that has rows.

    Raises:
        DataError: it is damaged, goes beyond a limit, or has no such sheet; iterating over the rows can raise it too.
    """
    with _translate_damage(name):
        workbook = _Workbook(archive, limits)
        names = workbook.sheet_names
        wanted = find_sheet(name, names, options.sheet) if options.sheet else None
        sheet, rows = workbook.open_sheet(wanted)
        note_sheet(workbook.notes, names, sheet)
    return Reading(
        f"XLSX, sheet “{sheet}”" if len(names) > 1 else "XLSX",
        _checked(name, rows),
        workbook.notes,
        sheets=names,
        sheet=sheet,
    )


@contextmanager
def _translate_damage(name: str) -> Iterator[None]:
    """Raise what can go wrong while a workbook is read as a `DataError` that says which file and why."""
    try:
        yield
    except DAMAGE_ERRORS as error:
        reason = str(error).strip("'\"")
        raise DataError(
            f"{name} cannot be read as XLSX: {reason}. Open it and save it again, with fewer rows, or save it as CSV."
        ) from error


def _checked(name: str, rows: Iterator[Record]) -> Iterator[Record]:
    with _translate_damage(name):
        yield from rows


class _Workbook:
    """The parts of a workbook: its shared texts, its number formats and its sheets."""

    def __init__(self, archive: zipfile.ZipFile, limits: Limits) -> None:
        self._archive = archive
        self._limits = limits
        self._bytes = self._elements = self._characters = 0
        sheet_paths: dict[str, str] = {}
        other_paths: dict[str, str] = {}
        for _, _, attributes, _ in self._read_small_part(RELATIONS):
            kind = attributes.get("Type", "").rpartition("/")[2]
            path = posixpath.normpath(posixpath.join("/xl", attributes.get("Target", ""))).lstrip("/")
            if kind == "worksheet":
                sheet_paths[attributes.get("Id", "")] = path
            else:
                other_paths[kind] = path
        self._strings = self._read_strings(other_paths["sharedStrings"]) if "sharedStrings" in other_paths else []
        self._formats = read_formats(self._read_small_part(other_paths["styles"])) if "styles" in other_paths else []
        self._epoch = WINDOWS_EPOCH
        sheets: dict[str, str] = {}  # by their paths
        for name, _, attributes, _ in self._read_small_part(WORKBOOK):
            if name == "sheet" and (sheet_path := sheet_paths.get(_relation_id(attributes))):
                sheets[sheet_path] = attributes.get("name") or f"sheet {len(sheets) + 1}"
            elif name == "workbookPr" and attributes.get("date1904") in {"1", "true"}:
                self._epoch = MAC_EPOCH
        self._sheets = sheets
        self.notes = Notes()

    @property
    def sheet_names(self) -> tuple[str, ...]:
        return tuple(self._sheets.values())

    def open_sheet(self, index: int | None) -> tuple[str, Iterator[Record]]:
        """Return the name and the rows of a sheet; without an index, of the first that looks like a table."""
        best: tuple[str, Iterator[Record]] = ("", iter(()))
        notes = self.notes
        for position, (path, name) in enumerate(self._sheets.items()):
            if index not in (None, position):
                continue
            self.notes = Notes()
            rows = self._rows(path, self.notes)
            head = list(islice(rows, HEAD_ROWS))
            if head and (not best[0] or is_table([row.cells for row in head])):
                best, notes = (name, _padded(head, rows)), self.notes
            if is_table([row.cells for row in head]):
                break
        self.notes = notes
        return best

    def _read_small_part(self, path: str) -> Iterator[Element]:
        if self._archive.getinfo(path).file_size > MAX_PART_BYTES:
            raise ValueError(f"its part {path} is larger than {MAX_PART_BYTES / 1e6:g} MB")
        return self._read_part(path)

    def _read_part(self, path: str) -> Iterator[Element]:
        """Yield the elements of a part; the limit holds for all parts that are read, together."""
        part = self._archive.getinfo(path)
        self._bytes += part.file_size  # it cannot hold more than it declares
        if self._bytes > UNPACKED_FACTOR * self._limits.bytes:
            raise ValueError(f"it unpacks to more than {UNPACKED_FACTOR * self._limits.megabytes:,g} MB")
        if part.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:  # other methods unpack without a bound
            raise ValueError(f"its part {path} is packed in an unusual way")
        limit = ELEMENTS_PER_CELL * self._limits.cells + SPARE_ELEMENTS
        with self._archive.open(part) as file:
            for batch in iter_elements(file):
                self._elements += len(batch)
                if self._elements > limit:
                    raise ValueError(f"it has more than {limit:,} cells and other elements")
                yield from batch

    def _count_characters(self, text: str) -> str:
        """Return the text; all texts together may have as many characters as a file may have bytes."""
        self._characters += len(text)
        if self._characters > self._limits.bytes:
            raise ValueError(f"it holds more than {self._limits.megabytes:g} million characters")
        return text

    def _read_strings(self, path: str) -> list[str]:
        strings: list[str] = []
        pieces: list[str] = []
        for name, parent, _, text in self._read_part(path):
            if name == "t" and parent != "rPh":  # a phonetic guide to a Japanese text
                pieces.append(self._count_characters(text))
            elif name == "si":
                strings.append(unescape("".join(pieces)))
                pieces.clear()
                if len(strings) > self._limits.cells:
                    raise ValueError(f"it has more than {self._limits.cells:,} texts")
        self._characters = 0
        return strings

    def _rows(self, path: str, notes: Notes) -> Iterator[Record]:
        """Yield the rows that hold something, up to their last cell that does."""
        number = column = 0
        formula = False
        cells: dict[int, str] = {}
        value = ""
        pieces: list[str] = []
        types = MixedTypes()
        for name, parent, attributes, text in self._read_part(path):
            if name == "c":
                column = column_number(attributes["r"].rstrip(DIGITS)) if "r" in attributes else column + 1
                if value or pieces:
                    shown = self._cell_text(attributes, value, pieces)
                    self._add_cell(cells, column, shown, counted=bool(pieces))
                    types.add(column, number + 1, shown, typed=attributes.get("t", "n") in TYPED)
                elif formula:
                    _note_formula(attributes, number, notes)
                value, pieces, formula = "", [], False
            elif name == "f":
                formula = True
            elif name == "v":
                value = text
            elif name == "t" and parent != "rPh":
                pieces.append(self._count_characters(text))
            elif name == "row":
                number = int(attributes.get("r", number + 1))
                if cells:
                    _note_hidden(attributes, number, notes)
                    yield Record(number, [cells.get(n, "") for n in range(1, max(cells) + 1)])
                    cells = {}
                column = 0
        types.note(notes)

    def _add_cell(self, cells: dict[int, str], column: int, shown: str, *, counted: bool) -> None:
        """Add a cell to its row, unless it shows nothing; `counted` tells whether its characters are counted."""
        if not shown:
            return
        if column > self._limits.columns:
            raise ValueError(f"it has a cell beyond column {self._limits.columns:,}")
        cells[column] = shown if counted else self._count_characters(shown)

    def _cell_text(self, attributes: dict[str, str], value: str, pieces: list[str]) -> str:
        match attributes.get("t", "n"):
            case "inlineStr":
                return unescape("".join(pieces))
            case "s" if value:
                return self._strings[int(value)]
            case "b" if value:
                return "TRUE" if int(value) else "FALSE"
            case "str":
                return unescape(value)
            case "d":
                return value.replace("T", " ")
            case "n" if value:
                style = int(attributes.get("s", "0"))
                number_format = self._formats[style] if style < len(self._formats) else NumberFormat()
                return number_text(value, number_format, self._epoch)
            case _:
                return value


def _padded(head: list[Record], rows: Iterator[Record]) -> Iterator[Record]:
    """Yield rows, padded to the widest of the first ones."""
    width = max(len(row.cells) for row in head)
    for row in chain(head, rows):
        row.cells.extend([""] * (width - len(row.cells)))
        yield row


def _note_formula(attributes: dict[str, str], row: int, notes: Notes) -> None:
    """Note a cell with a formula that has no result; its address holds its row, or it is in the one after `row`."""
    digits = attributes.get("r", "").lstrip(LETTERS)
    notes.add("formulas", int(digits) if digits.isdigit() else row + 1)


def _note_hidden(attributes: dict[str, str], row: int, notes: Notes) -> None:
    if attributes.get("hidden") in ("1", "true"):
        notes.add("hidden rows", row)


def _relation_id(attributes: dict[str, str]) -> str:
    """Return the relation that a sheet's entry refers to: its attribute `id`, with any prefix."""
    return next((value for key, value in attributes.items() if key.rpartition(":")[2] == "id"), "")
