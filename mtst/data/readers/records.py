"""One row of a file after the other: what every reader of a format yields."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Record:
    """The cells of one row of a file and the line it starts on, counted from 1."""

    line: int
    cells: list[str]


@dataclass(frozen=True)
class Skipped:
    """A row of the file that was not used: the line it starts on, counted from 1, and why."""

    line: int
    reason: str
