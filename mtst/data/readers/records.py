"""A row of a file, read or skipped: what the reader of every format yields."""

from dataclasses import dataclass


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
