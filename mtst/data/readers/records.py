"""What the reader of every format yields: the rows of a file, read or skipped, and what is known of them."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from mtst.data.readers.notes import Notes


@dataclass(frozen=True)
class Record:
    """The cells of a row, and the line of the file that it starts on, counted from 1."""

    line: int
    cells: list[str]


@dataclass(frozen=True)
class Skipped:
    """A row that is not used: the line of the file that it starts on, counted from 1, and why."""

    line: int
    reason: str


Records = Iterator[Record | Skipped]


@dataclass(frozen=True, eq=False)
class Reading:
    """The records of a file, and how they are read.

    Attributes:
        format: the file format, in words.
        records: the rows; they can be iterated over once.
        notes: what the reader decides about the file; complete when `records` is at its end.
        names: whether the first record holds the names of the columns; None if that is to be found out.
        encoding: the encoding of a text, as Python names it.
        delimiter: the delimiter of a delimited text.
        sheets: the names of the sheets of a workbook, or of the files of an archive.
        sheet: the one that is read.
    """

    format: str
    records: Records
    notes: Notes = field(default_factory=Notes)
    names: bool | None = None
    encoding: str = ""
    delimiter: str = ""
    sheets: tuple[str, ...] = ()
    sheet: str = ""
