"""Columns of a workbook in which some values are numbers or flags and others are texts that read like them."""

import re
from collections import Counter

from mtst.data.readers.notes import Notes

TYPED_LOOK = re.compile(r"\s*(?:[-+]?\d{1,15}(?:[.,]\d{1,15})?|true|false)\s*", re.I)
LONGEST = 40  # characters of a text that may read like a number


class MixedTypes:
    """Counts the cells of each column by their type, and notes the columns that mix types.

    The first cell of a column is left out: it may be its name.
    """

    def __init__(self) -> None:
        self._begun: set[int] = set()
        self._typed: Counter[int] = Counter()
        self._texts: Counter[int] = Counter()
        self._lines: dict[int, int] = {}

    def add(self, column: int, line: int, shown: str, *, typed: bool) -> None:
        """Count a cell; `column` is counted from 1, and `typed` tells a number or flag from a text."""
        if column not in self._begun:
            self._begun.add(column)
        elif typed:
            self._typed[column] += 1
        elif len(shown) <= LONGEST and TYPED_LOOK.fullmatch(shown):
            self._texts[column] += 1
            self._lines.setdefault(column, line)

    def note(self, notes: Notes) -> None:
        """Note each column that has cells of both kinds."""
        for column, count in self._texts.items():
            if self._typed[column]:
                what = f"Column {_letters(column)} mixes types: {count:,} of its values are stored as text"
                notes.add("mixed types", self._lines[column], what=what, count=count)


def _letters(column: int) -> str:
    """Return the name of a column in a spreadsheet: A is 1, AA is 27."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
