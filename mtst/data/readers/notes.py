"""What is odd about a file: each finding with a count, an example, a sentence and, if there is one, its treatment."""

from collections import Counter
from dataclasses import dataclass

EXAMPLE_CHARACTERS = 60


@dataclass(frozen=True)
class Treatment:
    """What a user can do about a finding.

    Attributes:
        option: the option of the command line.
        value: its value; empty for a flag.
        label: what it does, as a tick of the page says it.
    """

    option: str
    value: str
    label: str

    @property
    def words(self) -> tuple[str, ...]:
        """The words of the command line."""
        return (self.option, self.value) if self.value else (self.option,)


@dataclass(frozen=True)
class Oddity:
    """A finding about a file. Nothing is changed because of it unless the user chooses its treatment.

    Attributes:
        kind: a key, such as `missing label`.
        count: how many rows, lines or labels it concerns.
        sentence: what is odd, and what it means for training.
        line: the line of an example, counted from 1; None if it concerns the file as a whole.
        example: the beginning of that cell or line.
        treatment: what treats it, if anything does.
    """

    kind: str
    count: int
    sentence: str
    line: int | None = None
    example: str = ""
    treatment: Treatment | None = None


def shorten(text: str) -> str:
    """Return the beginning of a cell on one line, as an example."""
    line = " ".join(text[: 4 * EXAMPLE_CHARACTERS].split())
    return line if len(line) <= EXAMPLE_CHARACTERS else line[: EXAMPLE_CHARACTERS - 1] + "…"


NO_HEADER = Treatment("--no-header", "", "Read the first row as data")
# What a reader decides: for one line and for several. `{what}` is what it found.
DECISIONS: dict[str, tuple[str, str, Treatment | None]] = {
    "separator line": ("The first line, {what}, names the delimiter and is not a row.", "", None),
    "title": (
        "1 line above the column names is left out: a title or a comment.",
        "{count:,} lines above the column names are left out: a title or comments.",
        NO_HEADER,
    ),
    "survey header": (
        "1 row below the column names is left out: it describes the columns of a survey.",
        "{count:,} rows below the column names are left out: they describe the columns of a survey.",
        NO_HEADER,
    ),
    "numbered names": ("The first row, {what}, numbers the columns and is not data.", "", NO_HEADER),
    "name that is a value": (
        "The first row is read as column names, although {what} is also a value of its column.",
        "",
        NO_HEADER,
    ),
    "literal quote": (
        '1 line has a quote (") that is not closed in its cell: it is read as a character, and the line as a row.',
        '{count:,} lines have a quote (") that is not closed in its cell: it is read as a character, and each line as '
        "a row.",
        None,
    ),
    "single quotes": ("Cells are in single quotes ('). The quotes are not part of the cells.", "", None),
    "unusual delimiter": ("The cells are separated by {what}.", "", None),
    "line format": ("{what}", "", None),
    "list shape": ("{what}", "", None),
    "sheet": ("{what}", "", None),
    "label names": (
        "The numbers of the labels in {what} are read as the names that the file gives them.",
        "The numbers of the labels in {count:,} columns, {what}, are read as the names that the file gives them.",
        None,
    ),
    "guessed encoding": ("{what}", "", None),
    "formulas": (
        "1 cell holds a formula whose result is not stored in the file: it is read as blank. Open the file in a "
        "spreadsheet program and save it again.",
        "{count:,} cells hold formulas whose results are not stored in the file: they are read as blank. Open the file "
        "in a spreadsheet program and save it again.",
        None,
    ),
    "mixed types": (
        "{what}, the others as numbers or TRUE and FALSE. Values that read the same are one label.",
        "",
        None,
    ),
    "hidden rows": (
        "1 row is hidden in the sheet: it is read like any other.",
        "{count:,} rows are hidden in the sheet: they are read like any other.",
        None,
    ),
}  # fmt: skip


class Notes:
    """What a reader decides about a file, counted while it reads."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._first: dict[str, tuple[int | None, str, str]] = {}

    def add(self, kind: str, line: int | None = None, *, what: str = "", example: str = "", count: int = 1) -> None:
        """Count a decision; of the first of its kind the line, what was found and an example are kept."""
        self._counts[kind] += count
        self._first.setdefault(kind, (line, what, shorten(example)))

    def oddities(self) -> tuple[Oddity, ...]:
        """Return what was decided, in the order in which it first was."""
        return tuple(self._oddity(kind, count) for kind, count in self._counts.items())

    def _oddity(self, kind: str, count: int) -> Oddity:
        one, many, treatment = DECISIONS[kind]
        line, what, example = self._first[kind]
        sentence = (many if count > 1 and many else one).format(count=count, what=what)
        return Oddity(kind, count, sentence, line, example, treatment)
