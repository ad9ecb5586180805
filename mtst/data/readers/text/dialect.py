"""The dialect of a delimited text: what separates its cells, and what escapes a quote."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from mtst.data.readers.header import choose_header
from mtst.errors import DataError

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
NO_DELIMITER = "\x1f"  # of a file with one column
SEPARATOR = "\ufdd0"  # no character: stands for a delimiter of several characters while a line is split
BLANKS = re.compile(" {2,}")
SAMPLE_CHARACTERS = 16_384
SAMPLE_LINES = 200
SAMPLE_REREAD = 1_000_000  # characters that are read again, at most, to try a dialect
LONG_WORD = re.compile(
    r"""([^\s,;|"'\\]{50})[^\s,;|"'\\]+"""
)  # its end says nothing about the delimiter, and takes the detector seconds
EXCEL_LINE = re.compile(r'\ufeff?"?sep=(?P<delimiter>[^"\r\n]{1,5}?)"?[\r\n]+', re.I)

IRREGULAR_SHARE = 0.1  # of the rows; with more, a common delimiter is none
MIN_LINES = 3  # that an unusual delimiter is found in
CANDIDATE_LINES = 5
MAX_CANDIDATES = 20  # of a kind in a line
MAX_LABELS_SHARE = 0.5  # distinct cells of a column of labels, as a share of its lines
# Characters, or runs of them, that may separate cells; those of everyday texts only if a column of labels results.
RARE_SIGNS = "^~¦§¬¤†‡‖¶þ\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x0e\x0f\x10\x1c\x1d\x1e\x1f"
EVERYDAY_SIGNS = "@#$%&*+=<>/\\:"
SIGN_PATTERNS = {
    "run": r"([^\w\s.,!?'\"()-]|_)\1+",
    "blanks": r" {2,}",
    "mixed": r"[-_!#$%^&*+~|@=<>:;/\\]{2,}",
    "rare": f"[{re.escape(RARE_SIGNS)}]",
    "spaced": " [-–—/:=|] ",
    "everyday": f"[{re.escape(EVERYDAY_SIGNS)}]",
}


@dataclass(frozen=True)
class Dialect:
    """How cells are separated and quoted.

    Attributes:
        delimiter: one or several characters; of blanks, two stand for two or more.
        escape: what escapes a quote, if not a second quote.
        quote: what stands around a cell that holds a delimiter.
        skip_blanks: whether blanks may stand before a quote.
    """

    delimiter: str
    escape: str | None = None
    quote: str = '"'
    skip_blanks: bool = False

    @property
    def format(self) -> str:
        if self.delimiter == NO_DELIMITER:
            return "CSV, one column"
        return f"CSV, {DELIMITERS[self.delimiter]}-separated" if self.is_common else f"CSV, separated by {self.name}"

    @property
    def is_common(self) -> bool:
        return self.delimiter in DELIMITERS

    @property
    def name(self) -> str:
        """The delimiter, so that a person can read it and give it as an option."""
        if not self.delimiter.strip(" "):
            return "two or more spaces"
        return DELIMITERS.get(self.delimiter) or "“{}”".format(
            "".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in self.delimiter)
        )

    @property
    def sign(self) -> str:
        """The one character that separates the cells of a line from `mark`."""
        return self.delimiter if len(self.delimiter) == 1 else SEPARATOR

    def mark(self, line: str) -> str:
        """Return a line with one character between its cells."""
        if len(self.delimiter) == 1:
            return line
        return BLANKS.sub(SEPARATOR, line) if not self.delimiter.strip(" ") else line.replace(self.delimiter, SEPARATOR)

    def unmark(self, cells: list[str]) -> list[str]:
        """Return cells with the delimiters that are part of them as they were; without blanks around unusual ones."""
        if self.is_common or self.delimiter == NO_DELIMITER:
            return cells
        return [cell.replace(SEPARATOR, self.delimiter).strip(" ") for cell in cells]

    def split(self, line: str) -> list[str]:
        """Return the cells of one line in which quotes have no meaning."""
        return self.unmark(self.mark(line.rstrip("\r\n")).split(self.sign))


def excel_delimiter(start: str) -> tuple[str, str]:
    """Return the delimiter that a first line `sep=;` names, and that line; two empty texts if there is none."""
    match = EXCEL_LINE.match(start)
    if not match:
        return "", ""
    delimiter = match["delimiter"]
    return {"\\t": "\t", "tab": "\t"}.get(delimiter.lower(), delimiter), match[0].strip("\ufeff\r\n")


def find_dialect(start: str) -> Dialect:
    """Detect the dialect of a text. Without the delimiter in its first line, the file has one column of texts."""
    start = _without_titles(start)
    dialect = _find_common(start)
    if dialect.is_common and (times := _times_repeated(start, dialect.delimiter)) > 1:
        return Dialect(times * dialect.delimiter)
    rows = list(sample_rows(start, dialect))
    regular = Counter(map(len, rows)).most_common(1)
    irregular = len(rows) - regular[0][1] if regular and regular[0][0] > 1 else len(rows)
    if dialect.delimiter != NO_DELIMITER and irregular <= IRREGULAR_SHARE * len(rows):
        return dialect
    return _find_unusual(start) or dialect


def _times_repeated(start: str, sign: str) -> int:
    """Return how many of a sign stand together wherever it occurs, as in `text||label`: 1, 2 or 3."""
    lengths = set(map(len, re.findall(f"{re.escape(sign)}+", start)))
    outside = any(line.startswith(sign) or line.endswith(sign) for line in _lines(start))
    return lengths.pop() if len(lengths) == 1 and lengths <= {2, 3} and not outside else 1


def _find_common(start: str) -> Dialect:
    from clevercsv.detect import Detector

    try:
        detected = Detector().detect(LONG_WORD.sub(r"\1", start.replace("\0", "")), delimiters=list(DELIMITERS))
    except (ValueError, RecursionError):  # it parses cells that look like JSON, however deep they are nested
        detected = None
    delimiter, escape = (detected.delimiter, detected.escapechar) if detected else ("", "")
    first = next((line for line in _lines(start) if line.strip()), "")
    if not delimiter or delimiter not in first:
        unquoted = "".join(first.split('"')[::2])
        delimiter = max(DELIMITERS, key=unquoted.count)
        delimiter = delimiter if delimiter in unquoted else NO_DELIMITER
    if escape != "\\":
        return Dialect(delimiter)
    # A backslash before a quote may also end a text.
    return min((Dialect(delimiter), Dialect(delimiter, "\\")), key=lambda each: count_irregular_rows(start, each))


def count_irregular_rows(start: str, dialect: Dialect) -> int:
    """Count the rows that cannot be read, or differ from most in their number of cells."""
    rows = list(sample_rows(start, dialect))
    widths = Counter(len(row) for row in rows if row)
    return len(rows) - max(widths.values(), default=0)


def sample_rows(start: str, dialect: Dialect) -> Iterator[list[str]]:
    """Yield the rows of the beginning of a text; an empty one for a line with quotes that do not match."""
    from mtst.data.readers.records import Record
    from mtst.data.readers.text.delimited import read_delimited  # which splits with a dialect

    sample = start.encode("utf-8", "replace")
    try:
        for row in read_delimited("", sample, "utf-8", dialect, max_reread=SAMPLE_REREAD):
            yield row.cells if isinstance(row, Record) else []
    except DataError:  # quotes hardly ever match: what was read until then has to do
        return


def _lines(start: str) -> list[str]:
    return start.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _without_titles(start: str) -> str:
    """Return the text without the lines above the column names that hold a title or a comment.

    They lack the delimiter that every other line has, which would look like a file of one column.
    """
    lines = _lines(start)[:SAMPLE_LINES]
    numbers = [number for number, line in enumerate(lines) if line.strip()]
    for delimiter in DELIMITERS:
        if delimiter == "," and start.count(", ") > start.count(",") / 2:  # commas of sentences
            continue
        rows = [_split_line(lines[number], delimiter) for number in numbers]
        choice = choose_header(rows)
        if choice.titles and choice.titles < len(rows):
            return "\n".join(_lines(start)[numbers[choice.titles] :])
    return start


def _split_line(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return line.split(delimiter)


def _find_unusual(start: str) -> Dialect | None:
    """Return the dialect of a delimiter that every line has equally often, or None.

    One that is part of another does not count. Of several, the one that leaves the most columns is taken.
    """
    lines = [line for line in _lines(start)[:SAMPLE_LINES] if line.strip()]
    if len(start) >= SAMPLE_CHARACTERS:  # the last line may be cut off
        lines = lines[:-1]
    if len(lines) < MIN_LINES:
        return None
    found: list[tuple[int, int, Dialect]] = []
    for delimiter, everyday in _candidates(lines[:CANDIDATE_LINES]).items():
        dialect = Dialect(delimiter)
        rows = [dialect.split(line) for line in lines]
        width = len(rows[0])
        if width > 1 and all(len(row) == width for row in rows) and _are_cells(rows, labelled=everyday):
            found.append((width, len(delimiter), dialect))
    whole = [
        each
        for each in found
        if not any(each[2].delimiter != other.delimiter and each[2].delimiter in other.delimiter for *_, other in found)
    ]
    return max(whole, key=lambda each: each[:2], default=(0, 0, None))[2]


def _candidates(lines: Sequence[str]) -> dict[str, bool]:
    """Return the signs that may separate cells, and whether everyday texts hold them too."""
    candidates: dict[str, bool] = {}
    for line in lines:
        for kind, pattern in SIGN_PATTERNS.items():
            for match in islice(re.finditer(pattern, line), MAX_CANDIDATES):
                candidates.setdefault("  " if kind == "blanks" else match[0], kind in ("spaced", "everyday"))
    return candidates


def _are_cells(rows: Sequence[Sequence[str]], *, labelled: bool) -> bool:
    """Return whether rows of equal length are cells rather than pieces of sentences."""
    columns = list(zip(*rows, strict=True))
    if any(2 * sum(bool(cell.strip()) for cell in column) < len(column) for column in columns):
        return False
    if not labelled:
        return True
    distinct = [len({cell.strip() for cell in column}) for column in columns]
    return len(rows) > MIN_LINES and any(1 < count <= MAX_LABELS_SHARE * len(rows) for count in distinct)
