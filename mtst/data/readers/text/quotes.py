"""What stands around the cells of a delimited text, where it is no double quote right after the delimiter."""

import re
from collections.abc import Sequence
from dataclasses import replace

from mtst.data.readers.text.dialect import NO_DELIMITER, Dialect, count_irregular_rows, sample_rows

MIN_QUOTED = 0.5  # share of the lines that have a quoted cell; with fewer,
MIN_MENDED = 3  # lines that are no rows otherwise, and then all of them, show what the quotes are
SINGLE_QUOTED = re.compile(r"'.*'", re.S)
NUMBER = re.compile(r"[-+]?[\d.]*")


def find_quotes(start: str, dialect: Dialect) -> Dialect:
    """Return the dialect with single quotes, or with blanks before quotes, if the beginning of a text has those.

    Apostrophes are more common than single quotes around cells. So these must make rows of lines that are none
    otherwise, or stand around every cell that is no number.
    """
    if dialect.delimiter == NO_DELIMITER:
        return dialect
    sign = dialect.sign
    lines = [f"{sign}{dialect.mark(line)}{sign}" for line in start.splitlines() if line.strip()]
    irregular = count_irregular_rows(start, dialect)
    if _share_quoted(lines, re.compile(f'{re.escape(sign)} +"'), f'"{sign}') >= MIN_QUOTED:
        spaced = replace(dialect, skip_blanks=True)
        return spaced if count_irregular_rows(start, spaced) <= irregular else dialect
    share = _share_quoted(lines, re.compile(f"{re.escape(sign)}'"), f"'{sign}")
    if not share:
        return dialect
    single = min(
        (replace(dialect, quote="'", escape=escape) for escape in (None, "\\")),
        key=lambda each: count_irregular_rows(start, each),
    )
    rest = count_irregular_rows(start, single)
    mended = rest < irregular if share >= MIN_QUOTED else rest == 0 and irregular >= MIN_MENDED
    return single if mended or (rest == irregular and _all_quoted(start, dialect)) else dialect


def _share_quoted(lines: Sequence[str], opening: re.Pattern[str], closing: str) -> float:
    """Return the share of the lines that have a cell between two quotes."""
    opened = ((line, opening.search(line)) for line in lines)
    return sum(match is not None and line.rfind(closing) >= match.end() for line, match in opened) / max(1, len(lines))


def _all_quoted(start: str, dialect: Dialect) -> bool:
    return all(
        SINGLE_QUOTED.fullmatch(cell) or NUMBER.fullmatch(cell) for row in sample_rows(start, dialect) for cell in row
    )
