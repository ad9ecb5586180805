"""Values of JSON as cells of a table, and objects as rows."""

from collections.abc import Iterable, Mapping
from json import dumps
from typing import Any

from mtst.data.limits import Limits
from mtst.errors import DataError

Object = Mapping[str, Any]


def cell_text(value: object) -> str:
    """Return a value as the text of a cell: nothing for null, a string as it is, JSON for anything else."""
    match value:
        case None:
            return ""
        case str():
            return value
        case _:
            return dumps(value, ensure_ascii=False)


class Columns:
    """The keys of objects, in the order in which they appear, as the columns of a table."""

    def __init__(self, name: str, limits: Limits) -> None:
        self._name = name
        self._limits = limits
        self._positions: dict[str, int] = {}

    def add(self, keys: Iterable[object]) -> None:
        """Add the keys of an object.

        Raises:
            DataError: there are more than a table can have.
        """
        for key in keys:
            self._positions.setdefault(str(key), len(self._positions))
        if len(self._positions) > self._limits.columns:
            raise DataError(
                f"{self._name} has more than {self._limits.columns:,} columns, the most that can be read here."
            )

    @property
    def names(self) -> list[str]:
        return list(self._positions)

    def cells(self, row: Object) -> list[str]:
        """Return the cells of an object whose keys have been added."""
        cells = [""] * len(self._positions)
        for key, value in row.items():
            cells[self._positions[str(key)]] = cell_text(value)
        return cells
