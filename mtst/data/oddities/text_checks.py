"""Texts that look odd: lines that a quote swallowed, HTML, copies in another form of Unicode."""

import re
from collections.abc import Iterator

from mtst.data.oddities.columns import ChosenColumns, plural
from mtst.data.oddities.treatments import CLEAN, TAG
from mtst.data.readers.notes import Oddity, Treatment, shorten
from mtst.text import normalize_unicode

ENTITY = re.compile(r"&(?:[a-zA-Z]{2,8}|#\d{1,6}|#x[0-9a-fA-F]{1,5});")


def undecodable_characters(columns: ChosenColumns) -> Iterator[Oddity]:
    if count := columns.table.undecodable:
        yield Oddity(
            "undecodable characters",
            count,
            f"{count:,} {plural(count, 'character')} could not be decoded and {'is' if count == 1 else 'are'} shown as "
            "\ufffd. If there are many, choose another encoding.",
        )


def swallowed_lines(columns: ChosenColumns) -> Iterator[Oddity]:
    """Yield texts whose inner lines hold as many delimiters as rows: a quote may have swallowed them."""
    delimiter, width = columns.table.delimiter, len(columns.table.columns)
    if not delimiter or width < 2:
        return

    def swallows(cell: str) -> bool:
        lines = cell.splitlines()
        return len(lines) > 2 and 2 * sum(line.count(delimiter) >= width - 1 for line in lines) >= len(lines)

    found = [cell for cell in columns.texts if "\n" in cell and swallows(cell)]
    if found:
        lines = sum(len(cell.splitlines()) for cell in found)
        line, example = columns.first(columns.texts, lambda cell: "\n" in cell and swallows(cell))
        yield Oddity(
            "swallowed lines",
            len(found),
            f"{len(found):,} {plural(len(found), 'text')} of {lines:,} lines hold the delimiter on most lines: a quote "
            '(") that is not closed may have swallowed rows. Remove or double that quote in the file.',
            line,
            example,
        )


def html_texts(columns: ChosenColumns) -> Iterator[Oddity]:
    def has_html(cell: str) -> bool:
        return ("<" in cell and bool(TAG.search(cell))) or ("&" in cell and bool(ENTITY.search(cell)))

    if count := sum(map(has_html, columns.texts)):
        line, example = columns.first(columns.texts, has_html)
        yield Oddity(
            "HTML",
            count,
            f"{count:,} {plural(count, 'text')} {'holds' if count == 1 else 'hold'} HTML tags or entities. The encoder "
            "reads them as words.",
            line,
            example,
            Treatment(CLEAN, "html", f"Remove HTML tags and entities: {count:,} {plural(count, 'text')}"),
        )


def unicode_copies(columns: ChosenColumns) -> Iterator[Oddity]:
    """Yield texts that are copies of another but for the form of their characters."""
    forms: dict[str, str] = {}
    copies = []
    for row, cell in enumerate(columns.texts):
        text = cell.strip()
        if forms.setdefault(normalize_unicode(text), text) != text:
            copies.append(row)
    if copies:
        yield Oddity(
            "Unicode copies",
            len(copies),
            f"{len(copies):,} {plural(len(copies), 'text')} {'is a copy' if len(copies) == 1 else 'are copies'} of "
            "another but for the form of Unicode characters, such as composed and decomposed accents. As different "
            "texts they may stand on both sides of the split.",
            columns.table.lines[copies[0]],
            shorten(columns.texts[copies[0]]),
            Treatment(CLEAN, "unicode", "Bring Unicode characters into one form (NFKC)"),
        )
