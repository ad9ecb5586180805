"""Guess which column holds the sentences and which hold labels; refuse columns that cannot hold labels."""

import re
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence

from mtst.data.labels.choice import guess_separator, sampled_cells
from mtst.data.labels.columns import split_labels
from mtst.data.limits import Limits
from mtst.data.table import Table
from mtst.errors import DataError

SPLIT_ROWS = 300  # of a column whose cells hold several labels
MAX_GUESSED_TASKS = 3
MAX_NUMERIC_LABELS = 20  # up to so many distinct numbers are labels, whatever they count
MIN_ROWS_PER_NUMBER = 3  # above that, whole numbers are labels if each occurs so often on average
MAX_GUESSED_LABELS = 200  # distinct values of a column that is guessed to hold labels
MIN_GUESSED_LABELS = 3  # so many are labels in a table of any length, if one of them is repeated
MIN_FILLED = 0.4  # share of filled cells of a column that is guessed to hold labels
NEAR_BEST = 0.25  # share of the best column's score that other guessed columns reach
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
    """Guess the column of the sentences and up to three columns of labels, maybe none.

    The text column has the longest distinct cells. A label column repeats a few short values; words count more than
    numbers, and the name of a column may count for or against it.
    """
    cells = {name: sampled_cells(table, name) for name in table.columns}
    text = max(table.columns, key=lambda name: _text_score(name, cells[name]))
    scores = {name: _label_score(name, cells[name]) for name in table.columns if name != text}
    threshold = NEAR_BEST * max(scores.values(), default=0.0)
    if not threshold:
        return text, _guess_by_name(table.columns, text)
    best = sorted((name for name in scores if scores[name] > 0), key=lambda name: -scores[name])[:MAX_GUESSED_TASKS]
    return text, tuple(name for name in table.columns if name in best and scores[name] >= threshold)


def _guess_by_name(columns: Sequence[str], text: str) -> tuple[str, ...]:
    """Guess columns whose values look like no labels by name, or the only other one: the refusal will say why."""
    others = [name for name in columns if name != text]
    named = [name for name in others if LABEL_NAMES.search(name) and not OTHER_NAMES.search(name)]
    return tuple(named[:MAX_GUESSED_TASKS] or (others if len(others) == 1 else []))


def _text_score(name: str, cells: Sequence[str]) -> float:
    filled = [cell for cell in cells if cell]
    links = sum(cell.startswith(("http://", "https://")) for cell in filled)
    if not filled or 2 * links > len(filled):
        return 0.0
    # Where words are not separated by blanks, six letters count as a word.
    words = statistics.fmean(max(len(cell.split()), sum(map(str.isalpha, cell[:1000])) / 6) for cell in filled)
    return words * len(set(filled)) / len(cells) * (2 if TEXT_NAMES.search(name) else 1)


def _label_score(name: str, cells: Sequence[str]) -> float:
    separator = guess_separator(cells)
    if separator is not None:  # then it is its labels that recur, not its cells
        cells = [label for cell in cells[:SPLIT_ROWS] for label in split_labels(cell, separator) or ("",)]
    filled = [cell for cell in cells if cell]
    distinct = len(set(filled))
    few = MIN_GUESSED_LABELS if distinct < len(filled) else 2
    if not 2 <= distinct <= min(MAX_GUESSED_LABELS, max(few, len(filled) // 3)) or len(filled) < MIN_FILLED * len(
        cells
    ):
        return 0.0
    if numeric_range(Counter(filled)):
        return 0.0
    several = separator is not None  # then they are labels, also as numbers and whatever the name
    words = 1.0 if several else statistics.fmean(_number(cell) is None for cell in filled)
    name_weight = 3.0 if several or LABEL_NAMES.search(name) else 1.0
    name_weight *= 0.2 if OTHER_NAMES.search(name) else 1.0
    return (0.05 + words) * name_weight * len(filled) / len(cells) / distinct**0.25


def check_labels(table: Table, column: str, values: Iterable[str], limits: Limits) -> None:
    """Refuse a column whose values cannot be labels.

    Raises:
        DataError: there are no values, too many, or they are measurements; the message says what to do.
    """
    counts = Counter(values)
    where = f"Column {column!r} of {table.name}"
    if not counts:
        raise DataError(f"{where} has no label in any row that has a text.")
    if span := numeric_range(counts):
        low, high = span
        raise DataError(
            f"{where} holds {len(counts):,} different numbers from {low:g} to {high:g}: a measurement, not a label. "
            "Choose another column, put the numbers into a few named groups first, such as low, middle and high, or, "
            "if its cells are lists of label numbers such as 1,3, choose it as a column of several labels a row."
        )
    if len(counts) > limits.labels:
        raise DataError(
            f"{where} has {len(counts):,} different values, more than the {limits.labels:,} labels a task can have "
            "here. Choose the column that holds the label."
        )


def numeric_range(counts: Counter[str]) -> tuple[float, float] | None:
    """Return the minimum and maximum of values that are measurements, None if they are labels.

    More than twenty distinct numbers are measurements if some are not whole, or if each occurs rarely.
    """
    if len(counts) <= MAX_NUMERIC_LABELS:
        return None
    numbers = [number for number in map(_number, counts) if number is not None]
    if len(numbers) < 0.95 * len(counts):
        return None
    whole = all(number.is_integer() for number in numbers)
    if whole and counts.total() >= MIN_ROWS_PER_NUMBER * len(counts):
        return None
    return min(numbers), max(numbers)


def _number(text: str) -> float | None:
    """Return a text as a finite number, None if it is none; a decimal comma is allowed."""
    try:
        number = float(text.replace(",", ".") if text.count(",") == 1 else text)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None
