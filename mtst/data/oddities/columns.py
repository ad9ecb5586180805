"""The columns of a table that are chosen, as the checks look at them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from mtst.data.readers.notes import shorten
from mtst.data.table import Table


@dataclass(frozen=True, eq=False)
class ChosenColumns:
    """A table with the columns that are chosen.

    Attributes:
        table: the table.
        text: the column of the sentences.
        labels: the columns of labels.
        single: those of them whose cells are one label each.
    """

    table: Table
    text: str
    labels: tuple[str, ...]
    single: tuple[str, ...]

    @cached_property
    def texts(self) -> list[str]:
        return self.table.column(self.text)

    def label_cells(self, name: str) -> list[str]:
        return [cell.strip() for cell in self.table.column(name)]

    def first(self, cells: Sequence[str], fits: Callable[[str], bool]) -> tuple[int, str]:
        """Return the line and the beginning of the first cell that fits."""
        row = next(index for index, cell in enumerate(cells) if fits(cell))
        return self.table.lines[row], shorten(cells[row])


def plural(count: int, noun: str) -> str:
    """Return a noun in the singular or plural."""
    return noun if count == 1 else f"{noun}s"
