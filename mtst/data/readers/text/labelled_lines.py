"""Lines that hold a label beside their text, as fastText, TREC and others write them -> records."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from json import dumps

from mtst.data.readers.notes import Notes
from mtst.data.readers.records import Record, Skipped
from mtst.data.readers.source import Content
from mtst.data.readers.text.encoding import text_lines

FASTTEXT_PREFIX = "__label__"
MIN_LINES = 3
MIN_MATCHES = 0.98  # share of the first lines that have the form
MIN_ROWS_PER_LABEL = 2
MAX_LABELS = 100  # distinct labels in the first lines

Split = Callable[[str], list[str] | None]


@dataclass(frozen=True)
class LineFormat:
    """A form of labelled lines.

    Attributes:
        name: the format, in words.
        columns: the names of the columns; the first is the label.
        split: a line -> its cells, None if the line has another form.
        sentence: what is said of a file that is read so.
    """

    name: str
    columns: tuple[str, ...]
    split: Split
    sentence: str


def _split_fasttext(line: str) -> list[str] | None:
    """Return the label of a fastText line, or a list of several, and its text; labels may stand anywhere."""
    if FASTTEXT_PREFIX not in line:
        return None
    words = line.split()
    labels = [word.removeprefix(FASTTEXT_PREFIX).strip(",") for word in words if word.startswith(FASTTEXT_PREFIX)]
    text = " ".join(word for word in words if not word.startswith(FASTTEXT_PREFIX)).removeprefix(",").strip()
    several = list(dict.fromkeys(labels))
    return [dumps(several, ensure_ascii=False) if len(several) > 1 else several[0], text] if labels else None


def _split_trec(line: str) -> list[str] | None:
    match = re.fullmatch(r"([A-Za-z][\w.&-]*):([A-Za-z][\w.&-]*)\s+(\S.*)", line)
    return [match[1], f"{match[1]}:{match[2]}", match[3]] if match else None


def _split_at_sign(line: str) -> list[str] | None:
    match = re.fullmatch(r"(\S.*?[^@\s]|[^@\s])\s*@([\w+-]{1,30})", line)
    return [match[2], match[1]] if match else None


def _split_number(line: str) -> list[str] | None:
    match = re.fullmatch(r"([+-]?\d) +([^\s\d|:][^\t]*)", line)
    return [match[1], match[2]] if match else None


LINE_FORMATS = (
    LineFormat(
        "fastText lines",
        ("label", "text"),
        _split_fasttext,
        "Lines of fastText's form, “__label__x text”, are read as two columns: label and text.",
    ),
    LineFormat(
        "LABEL:fine text lines",
        ("label", "fine label", "text"),
        _split_trec,
        "Lines of the form “LABEL:fine text” are read as three columns: label, fine label and text.",
    ),
    LineFormat(
        "text@label lines",
        ("label", "text"),
        _split_at_sign,
        "Lines of the form “text@label” are read as two columns: label and text.",
    ),
    LineFormat(
        "number and text lines",
        ("label", "text"),
        _split_number,
        "Lines of the form “1 text” are read as two columns: label and text.",
    ),
)


def find_line_format(start: str, *, whole: bool) -> LineFormat | None:
    """Return the form of labelled lines that a text begins with, None if there is none.

    `whole` tells whether `start` is the whole text; otherwise its last line may be cut off.
    """
    lines = [line.strip() for line in start.splitlines() if line.strip()]
    lines = lines if whole else lines[:-1]
    return next((form for form in LINE_FORMATS if _fits(form, lines)), None)


def _fits(form: LineFormat, lines: Sequence[str]) -> bool:
    split = [cells for line in lines if (cells := form.split(line))]
    if len(lines) < MIN_LINES or len(split) < MIN_MATCHES * len(lines):
        return False
    labels = {cells[0] for cells in split}
    return 2 <= len(labels) <= min(MAX_LABELS, len(split) / MIN_ROWS_PER_LABEL)


def read_labelled_lines(
    name: str, content: Content, encoding: str, form: LineFormat, notes: Notes
) -> Iterator[Record | Skipped]:
    """Yield a record for each line that has the form, after a first one with the names of the columns."""
    notes.add("line format", what=form.sentence)
    yield Record(0, list(form.columns))
    for number, line in enumerate(text_lines(name, content, encoding), 1):
        stripped = line.strip().lstrip("\ufeff")
        if not stripped:
            continue
        cells = form.split(stripped)
        yield Record(number, cells) if cells else Skipped(number, "malformed: no label in its place")
