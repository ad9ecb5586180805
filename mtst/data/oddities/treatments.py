"""What a user chooses to do about what is odd in a table: cells that count as blank, and texts to clean."""

import html
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import reduce

from mtst.data.readers.notes import Treatment
from mtst.data.table import Table
from mtst.errors import DataError
from mtst.text import normalize_unicode

TAG = re.compile(r"</?[a-zA-Z][a-zA-Z0-9]{0,10}(?:\s[^<>]{0,300})?/?>|<!--.{0,1000}?-->", re.S)
MISSING = "--missing"
CLEAN = "--clean"
LEAVE_OUT = "--leave-out"


def clean_html(text: str) -> str:
    """Return a text without HTML tags, with the characters that entities stand for and single blanks."""
    return " ".join(html.unescape(TAG.sub(" ", text)).split())


CLEANERS: dict[str, Callable[[str], str]] = {"html": clean_html, "unicode": normalize_unicode}


@dataclass(frozen=True)
class Treatments:
    """The treatments that a user has chosen.

    Attributes:
        missing: cells that count as blank, such as `NULL`.
        clean: keys of `CLEANERS` that all cells go through, in that order.

    Raises:
        DataError: there is no such cleaner.
    """

    missing: tuple[str, ...] = ()
    clean: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for key in self.clean:
            if key not in CLEANERS:
                raise DataError(f"There is nothing to clean called {key[:40]!r}. Choose {' or '.join(CLEANERS)}.")

    @property
    def words(self) -> tuple[str, ...]:
        """The words of the command line."""
        return tuple(
            word
            for option, values in ((MISSING, self.missing), (CLEAN, self.clean))
            for value in values
            for word in (option, value)
        )


NOTHING = Treatments()


def treat(table: Table, treatments: Treatments) -> Table:
    """Return the table with the chosen treatments applied to all of its cells; the lines stay as they are."""
    if treatments == NOTHING:
        return table
    missing = frozenset(cell.strip() for cell in treatments.missing)
    cleaners = [CLEANERS[key] for key in CLEANERS if key in treatments.clean]

    def treated(cell: str) -> str:
        return "" if cell.strip() in missing else reduce(lambda text, cleaner: cleaner(text), cleaners, cell)

    return replace(table, rows=tuple(tuple(map(treated, row)) for row in table.rows))


def chosen_treatments(ticked: Collection[Treatment]) -> Treatments:
    """Return the treatments of the findings that are ticked."""
    return Treatments(
        missing=tuple(each.value for each in ticked if each.option == MISSING),
        clean=tuple(each.value for each in ticked if each.option == CLEAN),
    )
