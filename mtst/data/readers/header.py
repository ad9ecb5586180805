"""The header of a table: which row it is, if any, how many columns there are, and their names."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

MAX_TITLE_ROWS = 12  # rows above the names
LONGEST_NAME = 60  # characters of a typical name
MOST_NAME_WORDS = 2  # of the only column: a longer first line is a text like those below it
MAX_SURVEY_ROWS = 4  # rows below the names that describe columns
COMMENT = ("#", "//", "%")
TITLE_SHARE = 0.5  # of the cells that most rows fill; a title fills fewer
SURVEY_CELL = re.compile(r"""\{\s*["']ImportId["']""")  # of Qualtrics
DATE = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?)?|\d{1,2}[./]\d{1,2}[./]\d{2,4}")
# The whole of a cell that names a column rather than being a value of one.
TYPICAL_NAME = re.compile(
    r"(?:\w+[ _.-])?(?:texts?|sentences?|utterances?|reviews?|tweets?|comments?|messages?|contents?|body|questions?"
    r"|descriptions?|query|queries|posts?|documents?|labels?|class(?:es)?|categor(?:y|ies)|topics?|sentiments?"
    r"|emotions?|intents?|target|ratings?|stars|polarity|tags?|id|index|title|headline|score)(?:[ _.-]?\w+)?",
    re.I,
)


@dataclass(frozen=True)
class HeaderChoice:
    """Where the names of the columns stand.

    Attributes:
        header: whether a row holds the names.
        titles: how many rows above it are no data.
        descriptions: how many rows below it are no data.
        decision: the kind of a decision that others may see differently; empty if the case is clear.
        what: the cells in question.
    """

    header: bool
    titles: int = 0
    descriptions: int = 0
    decision: str = ""
    what: str = ""


def choose_header(rows: Sequence[Sequence[str]], *, names: bool | None = None) -> HeaderChoice:
    """Return where the names of the columns stand in the first rows of a table.

    `names` tells whether the first row holds them; if it is None, the columns vote.
    """
    if not rows or names is not None:
        return HeaderChoice(header=names is not False)
    titles = _count_titles(rows)
    first, below = rows[titles], rows[titles + 1 :]
    if titles and not names_columns(first, below):
        return HeaderChoice(header=False, titles=titles)
    if descriptions := _count_descriptions(below):
        return HeaderChoice(header=True, titles=titles, descriptions=descriptions)
    if not names_columns(first, below):
        return HeaderChoice(header=False)
    if _is_enumeration(first):
        return HeaderChoice(
            header=True, titles=titles, decision="numbered names", what=", ".join(filter(None, first[:4]))
        )
    if values := _values_below(first, below):
        return HeaderChoice(
            header=True, titles=titles, decision="name that is a value", what=f"“{first[values[0]].strip()[:40]}”"
        )
    return HeaderChoice(header=True, titles=titles)


def names_columns(first: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row holds column names, not data.

    A name is no number or date, and no value of its column, unless another cell is what only a name can be: `text` or
    `label` above other values. `0, 1, 2` above texts are names too. A sentence is no name of an only column.
    Without rows below, the row is a header; a row below that repeats all of it is another header.
    """
    names = [cell.strip() for cell in first]
    if not rows:
        return True
    if _is_enumeration(names):
        return any(not all(map(_is_number, column)) for column in _columns(first, rows))
    if any(_is_number(name) or DATE.fullmatch(name) for name in names):
        return False
    if len(names) == 1 and len(names[0].split()) > MOST_NAME_WORDS:
        return False
    values = _values_below(first, rows)
    return not values or any(_is_typical(name) for index, name in enumerate(names) if index not in values)


def _columns(first: Sequence[str], rows: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """Return the cells below each cell of the first row, of the rows that are as long and do not repeat it."""
    whole = [row[: len(first)] for row in rows if len(row) >= len(first) and list(row) != list(first)]
    return [tuple(cell.strip() for cell in column) for column in zip(*whole, strict=True)]


def _values_below(first: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    """Return the indices of the cells of the first row that are also a value below them."""
    return [
        index
        for index, (name, column) in enumerate(zip(first, _columns(first, rows), strict=False))
        if name.strip() and name.strip().casefold() in {cell.casefold() for cell in column}
    ]


def _is_enumeration(names: Sequence[str]) -> bool:
    """Return whether the cells number the columns from 0, as pandas does; the first may be the blank of an index."""
    numbers = [name.strip() for name in names]
    if len(numbers) > 2 and not numbers[0]:
        numbers = numbers[1:]
    return len(numbers) > 1 and numbers == [str(number) for number in range(len(numbers))]


def _filled(row: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in row)


def _count_titles(rows: Sequence[Sequence[str]]) -> int:
    """Return how many rows stand above the names: they fill fewer cells than most rows; a full row of names follows.

    The names must differ from the values below them in a column that repeats a few values. Comments that have fewer
    cells than every row need no names below them.
    """
    usual = Counter((_filled(row), len(row)) for row in rows[1:]).most_common(1)
    width, length = usual[0][0] if usual else (0, 0)
    if width < 2:
        return 0
    most = max(1, int(TITLE_SHARE * (width - 1)))
    titles = comments = 0
    while titles < min(MAX_TITLE_ROWS, len(rows) - 3) and _is_title(rows[titles], most, length):
        comments += titles == comments and rows[titles][0].startswith(COMMENT) and len(rows[titles]) < length
        titles += 1
    first, below = rows[titles], rows[titles + 1 :]
    if titles and titles == comments and len(first) == length:
        return titles
    if not titles or _filled(first) < width or not names_columns(first, below):
        return 0
    above = {cell.strip() for row in rows[:titles] for cell in row if " " not in cell.strip()}
    if any(map(_is_typical, above)) and not any(map(_is_typical, first)):
        return 0  # a header that lacks names, as R writes it
    columns = _columns(first, below)
    repeats = any(len(set(column)) <= len(column) / 2 for column in columns)
    return titles if repeats or _is_typical(first[0]) else 0


def _is_title(row: Sequence[str], most: int, length: int) -> bool:
    """Return whether a row is a comment, or fills at most `most` cells or fewer than the `length` that rows have."""
    filled = [cell.strip() for cell in row if cell.strip()]
    if filled and filled[0].startswith(COMMENT) and len(filled[0]) > 1:
        return True
    return len(filled) <= most or len(row) < length


def _count_descriptions(below: Sequence[Sequence[str]]) -> int:
    """Return how many rows below the names end with one of a survey tool's identifiers."""
    for index, row in enumerate(below[:MAX_SURVEY_ROWS]):
        if any(map(SURVEY_CELL.match, row)):
            return index + 1
    return 0


def count_columns(first: Sequence[str], rows: Sequence[Sequence[str]], *, header: bool) -> int:
    """Return the number of columns of a table, from its first row and some rows below.

    Blank cells at the end of the first row do not count if no other row is as long. A header that is one cell shorter
    than every row, as R writes it, lacks the name of the first column, unless every row just ends in a delimiter.
    """
    count = len(first)
    longest = max(map(len, rows), default=count)
    while count > longest and not first[count - 1].strip():
        count -= 1
    row_names = all(len(row) == count + 1 for row in rows) and any(row[-1].strip() for row in rows)
    return count + (header and row_names)


def column_names(first: Sequence[str], count: int) -> tuple[str, ...]:
    """Return `count` unique names: the stripped cells, a number for a blank one, a suffix for a repeated one.

    If the row is one cell short, as R writes it, the first column holds the row names.
    """
    cells = ["", *first] if len(first) == count - 1 else list(first[:count])
    names: dict[str, None] = {}
    for number, cell in enumerate(cells, 1):
        name = base = cell.strip("\ufeff").strip() or f"column {number}"
        copies = 1
        while name in names:
            copies += 1
            name = f"{base} ({copies})"
        names[name] = None
    return tuple(names)


def _is_typical(cell: str) -> bool:
    """Return whether a cell is what only the name of a column can be."""
    name = cell.strip()
    return len(name) <= LONGEST_NAME and bool(TYPICAL_NAME.fullmatch(name))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
