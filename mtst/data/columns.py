"""Which column holds the sentences, and which hold labels: a guess, and what speaks against a column of labels."""

import re
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence

from mtst.data.limits import Limits
from mtst.data.table import Table
from mtst.errors import DataError

ROWS_LOOKED_AT = 2_000
GUESSED_TASKS = 3
FEW_NUMBERS = 20  # different numbers that may be labels whatever they count
ROWS_PER_NUMBER = 3  # of whole numbers that are labels though there are more of them
MOST_GUESSED = 200  # different values of a column that is guessed to hold labels
MOSTLY_BLANK = 0.4  # share of filled cells below which a column is not guessed
NEAR_BEST = 0.25  # of the best column's score, for the others to be guessed too
TEXT_NAMES = re.compile(
    r"text|sentence|utterance|review|tweet|comment|message|content|body|question|description|query|post|document", re.I
)
LABEL_NAMES = re.compile(
    r"label|class|categor|topic|sentiment|emotion|intent|target|rating|stars|polarity|tag|type|reason|mood|stance|tone",
    re.I,
)
OTHER_NAMES = re.compile(
    r"(^|_|\b)(id|idx|index|no|nr|split|fold|set|date|time|year|url|link|lang|language|source|speaker|author|user"
    r"|name|season|episode|annotator|confidence|gold|worker|country|gender|file)(\b|_|$)|timezone|location",
    re.I,
)


def guess_columns(table: Table) -> tuple[str, tuple[str, ...]]:
    """Guess the column of the sentences and up to three columns of labels; the labels may be none.

    The text is the column with the longest distinct cells. A label column repeats a few short values; words come
    before numbers, and a column's name may speak for it or against it.
    """
    cells = {name: [cell.strip() for cell in table.column(name)[:ROWS_LOOKED_AT]] for name in table.columns}
    text = max(table.columns, key=lambda name: _textness(name, cells[name]))
    scores = {name: _labelness(name, cells[name]) for name in table.columns if name != text}
    least = NEAR_BEST * max(scores.values(), default=0.0)
    if not least:
        return text, _named_labels(table.columns, text)
    best = sorted((name for name in scores if scores[name] > 0), key=lambda name: -scores[name])[:GUESSED_TASKS]
    return text, tuple(name for name in table.columns if name in best and scores[name] >= least)


def _named_labels(columns: Sequence[str], text: str) -> tuple[str, ...]:
    """Guess by name, or as the only other one, a column whose values look like no labels: its refusal says why."""
    others = [name for name in columns if name != text]
    named = [name for name in others if LABEL_NAMES.search(name) and not OTHER_NAMES.search(name)]
    return tuple(named[:GUESSED_TASKS] or (others if len(others) == 1 else []))


def _textness(name: str, cells: Sequence[str]) -> float:
    filled = [cell for cell in cells if cell]
    links = sum(cell.startswith(("http://", "https://")) for cell in filled)
    if not filled or 2 * links > len(filled):
        return 0.0
    # A sixth of the letters counts where words are not set apart by blanks.
    words = statistics.fmean(max(len(cell.split()), sum(map(str.isalpha, cell[:1000])) / 6) for cell in filled)
    return words * len(set(filled)) / len(cells) * (2 if TEXT_NAMES.search(name) else 1)


def _labelness(name: str, cells: Sequence[str]) -> float:
    filled = [cell for cell in cells if cell]
    kinds = len(set(filled))
    if not 2 <= kinds <= min(MOST_GUESSED, max(2, len(filled) // 3)) or len(filled) < MOSTLY_BLANK * len(cells):
        return 0.0
    if numeric_range(Counter(filled)):
        return 0.0
    words = statistics.fmean(_number(cell) is None for cell in filled)
    wording = 3.0 if LABEL_NAMES.search(name) else 1.0
    wording *= 0.2 if OTHER_NAMES.search(name) else 1.0
    return (0.05 + words) * wording * len(filled) / len(cells) / kinds**0.25


def check_labels(table: Table, column: str, values: Iterable[str], limits: Limits) -> None:
    """Refuse the values of a column that cannot be labels.

    Raises:
        DataError: there are none, too many, or they are measurements; the message says what to do.
    """
    counts = Counter(values)
    where = f"Column {column!r} of {table.name}"
    if not counts:
        raise DataError(f"{where} has no label in any row that has a text.")
    if span := numeric_range(counts):
        low, high = span
        raise DataError(
            f"{where} holds {len(counts):,} different numbers from {low:g} to {high:g}: a measurement, not a label. "
            "Choose another column, or put the numbers into a few named groups first, such as low, middle and high."
        )
    if len(counts) > limits.labels:
        raise DataError(
            f"{where} has {len(counts):,} different values, more than the {limits.labels:,} labels a task can have "
            "here. Choose the column that holds the label."
        )


def numeric_range(counts: Counter[str]) -> tuple[float, float] | None:
    """Return the least and the greatest of many numbers that count or measure something; nothing for labels.

    More than twenty different numbers measure if some are not whole, or if each occurs hardly ever.
    """
    if len(counts) <= FEW_NUMBERS:
        return None
    numbers = [number for number in map(_number, counts) if number is not None]
    if len(numbers) < 0.95 * len(counts):
        return None
    whole = all(number.is_integer() for number in numbers)
    if whole and counts.total() >= ROWS_PER_NUMBER * len(counts):
        return None
    return min(numbers), max(numbers)


def _number(text: str) -> float | None:
    """Read a number, with a decimal comma too; no sign for infinity or for what is none."""
    try:
        number = float(text.replace(",", ".") if text.count(",") == 1 else text)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None
