"""An OpenDocument spreadsheet (ODS) -> records, read as a stream and never unpacked beyond the limit."""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from openpyxl.utils.datetime import WINDOWS_EPOCH

from mtst.data.limits import Limits
from mtst.data.readers.binary.mixed_types import MixedTypes
from mtst.data.readers.binary.sheets import HEAD_ROWS, find_sheet, is_table, note_sheet
from mtst.data.readers.binary.xlsx import DAMAGE_ERRORS, ELEMENTS_PER_CELL, SPARE_ELEMENTS, UNPACKED_FACTOR
from mtst.data.readers.binary.xlsx_cells import NumberFormat, number_text
from mtst.data.readers.binary.xlsx_xml import TEXT, Element, iter_elements
from mtst.data.readers.notes import Notes
from mtst.data.readers.options import ReadOptions
from mtst.data.readers.records import Reading, Record
from mtst.errors import DataError

CONTENT = "content.xml"
MAX_SPACES = 1_000  # that one element stands for
CELLS = ("table-cell", "covered-table-cell")
PLAIN = NumberFormat()


def read_sheet(name: str, archive: zipfile.ZipFile, limits: Limits, options: ReadOptions) -> Reading:
    """Return the rows of a sheet: the one that is asked for, or the first that looks like a table.

    Raises:
        DataError: it is damaged, goes beyond a limit, or has no such sheet; iterating over the rows can raise it too.
    """
    try:
        heads = _heads(archive, limits)
    except DAMAGE_ERRORS as error:
        raise _damaged(name, error) from error
    names = tuple(heads)
    if not names:
        raise DataError(f"{name} has no sheet. Save the table as XLSX or CSV.")
    if options.sheet:
        index = find_sheet(name, names, options.sheet)
    else:
        filled = [position for position, rows in enumerate(heads.values()) if rows]
        tables = [position for position in filled if is_table(list(heads.values())[position])]
        index = (tables or filled or [0])[0]
    notes = Notes()
    note_sheet(notes, names, names[index])
    width = max(map(len, heads[names[index]]), default=0)
    return Reading(
        f"ODS, sheet “{names[index]}”" if len(names) > 1 else "ODS",
        _padded(name, _rows(archive, limits, index, notes), width),
        notes,
        sheets=names,
        sheet=names[index],
    )


def _damaged(name: str, error: Exception) -> DataError:
    reason = str(error).strip("'\"")
    return DataError(f"{name} cannot be read as ODS: {reason}. Open it and save it again, or save the table as CSV.")


def _padded(name: str, rows: Iterator[Record], width: int) -> Iterator[Record]:
    try:
        for row in rows:
            row.cells.extend([""] * (width - len(row.cells)))
            yield row
    except DAMAGE_ERRORS as error:
        raise _damaged(name, error) from error


def _heads(archive: zipfile.ZipFile, limits: Limits) -> dict[str, list[list[str]]]:
    """Return the first rows of each sheet, by its name."""
    heads: dict[str, list[list[str]]] = {}
    head: list[list[str]] = []
    reader = _SheetReader(limits, Notes())
    for element in _elements(archive, limits):
        head += [row.cells for row in islice(reader.feed(element), HEAD_ROWS - len(head))]
        if element[0] == "table":
            if len(heads) == limits.columns:
                raise ValueError(f"it has more than {limits.columns:,} sheets")
            sheet = _attribute(element[2], "name") or f"sheet {len(heads) + 1}"
            heads[sheet], head = head, []
            reader = _SheetReader(limits, Notes())
    return heads


def _rows(archive: zipfile.ZipFile, limits: Limits, index: int, notes: Notes) -> Iterator[Record]:
    """Yield the rows of one sheet that hold something."""
    position = 0
    reader = _SheetReader(limits, notes)
    for element in _elements(archive, limits):
        rows = reader.feed(element)
        if position == index:
            yield from rows
        if element[0] == "table":
            if position == index:
                reader.types.note(notes)
            position += 1
            reader = _SheetReader(limits, notes if position == index else Notes())
            if position > index:
                return


def _elements(archive: zipfile.ZipFile, limits: Limits) -> Iterator[Element]:
    """Yield the elements of all sheets.

    Raises:
        ValueError: there are more than the limits allow, or they are packed in an unusual way.
    """
    part = archive.getinfo(CONTENT)
    if part.file_size > UNPACKED_FACTOR * limits.bytes:
        raise ValueError(f"it unpacks to more than {UNPACKED_FACTOR * limits.megabytes:,g} MB")
    if part.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:  # other methods unpack without a bound
        raise ValueError(f"its part {CONTENT} is packed in an unusual way")
    limit = ELEMENTS_PER_CELL * limits.cells + SPARE_ELEMENTS
    count = 0
    with archive.open(part) as file:
        for batch in iter_elements(file, mixed=True):
            count += len(batch)
            if count > limit:
                raise ValueError(f"it has more than {limit:,} cells and other elements")
            yield from batch


def _attribute(attributes: dict[str, str], name: str) -> str:
    """Return an attribute, with any prefix."""
    return next((value for key, value in attributes.items() if key.rpartition(":")[2] == name), "")


@dataclass
class _SheetReader:
    """The row of a sheet that is being read: its cells so far, and the paragraphs of the current cell."""

    limits: Limits
    notes: Notes
    types: MixedTypes = field(default_factory=MixedTypes)
    _number: int = 1  # of the current row
    _column: int = 0
    _characters: int = 0
    _given: int = 0  # cells of all rows so far
    _cells: dict[int, str] = field(default_factory=dict)
    _paragraphs: list[str] = field(default_factory=list)
    _pieces: list[str] = field(default_factory=list)

    def feed(self, element: Element) -> Iterator[Record]:
        """Take in an element; return the rows that it ends."""
        name, _, attributes, text = element
        match name:
            case "p":
                self._paragraphs.append("".join((*self._pieces, text)))
                self._pieces.clear()
            case "s":
                self._pieces.append(" " * min(int(_attribute(attributes, "c") or 1), MAX_SPACES))
            case "tab":
                self._pieces.append("\t")
            case "line-break":
                self._pieces.append("\n")
            case "span" | "a":
                self._pieces.append(text)
            case "annotation":  # a comment, which stands before the text of its cell
                self._paragraphs.clear()
            case _ if name == TEXT:
                self._pieces.append(text if element[1] in ("p", "span", "a") else "")
            case _ if name in CELLS:
                self._end_cell(attributes)
            case "table-row":
                return self._end_row(attributes)
        return iter(())

    def _end_cell(self, attributes: dict[str, str]) -> None:
        repeated = int(_attribute(attributes, "number-columns-repeated") or 1)
        value = self._value(attributes)
        if value:
            if self._column + repeated > self.limits.columns:
                raise ValueError(f"it has a cell beyond column {self.limits.columns:,}")
            self._characters += len(value)
            if self._characters > self.limits.bytes:
                raise ValueError(f"it holds more than {self.limits.megabytes:g} million characters")
            typed = _attribute(attributes, "value-type") not in ("", "string")
            self.types.add(self._column + 1, self._number, value, typed=typed)
            self._cells |= dict.fromkeys(range(self._column, self._column + repeated), value)
        elif _attribute(attributes, "formula"):
            self.notes.add("formulas", self._number, count=min(repeated, self.limits.columns))
        self._column += repeated
        self._paragraphs.clear()
        self._pieces.clear()

    def _value(self, attributes: dict[str, str]) -> str:
        match _attribute(attributes, "value-type"):
            case "float" | "percentage" | "currency" if number := _attribute(attributes, "value"):
                return number_text(number, PLAIN, WINDOWS_EPOCH)
            case "boolean" if flag := _attribute(attributes, "boolean-value"):
                return flag.upper()
            case "date" if date := _attribute(attributes, "date-value"):
                return date.replace("T", " ")
            case _:
                return "\n".join(self._paragraphs)

    def _end_row(self, attributes: dict[str, str]) -> Iterator[Record]:
        repeated = int(_attribute(attributes, "number-rows-repeated") or 1)
        cells, number = self._cells, self._number
        self._cells, self._column = {}, 0
        self._number += repeated
        if not cells:
            return iter(())
        if repeated > self.limits.rows:
            raise ValueError(f"it has more than {self.limits.rows:,} rows")
        if _attribute(attributes, "visibility") in ("collapse", "filter"):
            self.notes.add("hidden rows", number, count=repeated)
        width = max(cells) + 1
        self._given += width * repeated
        if self._given > self.limits.cells:
            raise ValueError(f"it has more than {self.limits.cells:,} cells")
        return (
            Record(line, [cells.get(column, "") for column in range(width)])
            for line in range(number, number + repeated)
        )
