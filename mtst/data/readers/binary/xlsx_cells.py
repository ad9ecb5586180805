"""The stored value of an XLSX cell -> the text that a person sees in the sheet."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format
from openpyxl.utils.datetime import from_excel

from mtst.data.readers.binary.xlsx_xml import Element

MAX_FORMAT_CODE = 255  # characters
MAX_EXACT_INTEGER = 1e15  # beyond it a float does not hold every whole number
ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
COLUMN_LETTERS = re.compile("[A-Z]{1,3}")


@dataclass(frozen=True)
class NumberFormat:
    """Whether the numbers of a cell style are dates or durations."""

    date: bool = False
    duration: bool = False


def read_formats(styles: Iterable[Element]) -> list[NumberFormat]:
    """Return the number formats, which cells refer to by index."""
    custom: dict[str, str] = {}
    style_formats: list[str] = []
    for name, parent, attributes, _ in styles:
        if name == "numFmt":
            custom[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")[:MAX_FORMAT_CODE]
        elif name == "xf" and parent == "cellXfs":
            style_formats.append(attributes.get("numFmtId", "0"))
    codes = {number: custom.get(number) or BUILTIN_FORMATS.get(int(number)) for number in set(style_formats)}
    formats = {number: NumberFormat(is_date_format(code), is_timedelta_format(code)) for number, code in codes.items()}
    return [formats[number] for number in style_formats]


def number_text(value: str, number_format: NumberFormat, epoch: datetime) -> str:
    """Return a number, date or duration as text; any other value unchanged."""
    try:
        number = float(value)
        if number_format.date or number_format.duration:
            return str(from_excel(number, epoch, timedelta=number_format.duration))
    except (ValueError, OverflowError):
        return value
    if not number.is_integer():
        return str(number)
    return str(int(number)) if abs(number) < MAX_EXACT_INTEGER else value


def unescape(text: str) -> str:
    """Replace escapes of characters that XML cannot hold: `_x000D_` is a carriage return."""
    return ESCAPE.sub(_character, text) if "_x" in text else text


def _character(match: re.Match[str]) -> str:
    code = int(match[1], 16)
    return match[0] if 0xD800 <= code < 0xE000 else chr(code)  # a surrogate is half a character


@cache
def column_number(letters: str) -> int:
    """Return the number of a column, counted from 1.

    Raises:
        ValueError: the letters name no column.
    """
    if not COLUMN_LETTERS.fullmatch(letters):
        raise ValueError(f"{letters[:20]!r} is no column")
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number
