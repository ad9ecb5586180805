"""What is in a sheet's cells -> the text that a person sees there."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format
from openpyxl.utils.datetime import from_excel

from mtst.data.readers.xlsx_xml import Element

MAX_FORMAT = 255  # characters of a number format
MANY_DIGITS = 1e15  # from which a float does not hold every whole number
ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
LETTERS = re.compile("[A-Z]{1,3}")


@dataclass(frozen=True)
class Format:
    """What the numbers of a cell's style stand for."""

    date: bool = False
    duration: bool = False


def read_formats(styles: Iterable[Element]) -> list[Format]:
    """Return the formats that cells refer to by their place."""
    custom: dict[str, str] = {}
    numbers: list[str] = []
    for name, parent, attributes, _ in styles:
        if name == "numFmt":
            custom[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")[:MAX_FORMAT]
        elif name == "xf" and parent == "cellXfs":
            numbers.append(attributes.get("numFmtId", "0"))
    codes = {number: custom.get(number) or BUILTIN_FORMATS.get(int(number)) for number in set(numbers)}
    formats = {number: Format(is_date_format(code), is_timedelta_format(code)) for number, code in codes.items()}
    return [formats[number] for number in numbers]


def number_text(value: str, form: Format, epoch: datetime) -> str:
    """Return a number, date or duration as text; what is none of them stays as it is."""
    try:
        number = float(value)
        if form.date or form.duration:
            return str(from_excel(number, epoch, timedelta=form.duration))
    except (ValueError, OverflowError):
        return value
    if not number.is_integer():
        return str(number)
    return str(int(number)) if abs(number) < MANY_DIGITS else value


def unescaped(text: str) -> str:
    """Put back the characters that XML cannot hold: `_x000D_` stands for a carriage return."""
    return ESCAPED.sub(_character, text) if "_x" in text else text


def _character(found: re.Match[str]) -> str:
    code = int(found[1], 16)
    return found[0] if 0xD800 <= code < 0xE000 else chr(code)  # half a character is none


@cache
def column_number(letters: str) -> int:
    """Return the number of a column, counted from 1.

    Raises:
        ValueError: it is no column.
    """
    if not LETTERS.fullmatch(letters):
        raise ValueError(f"{letters[:20]!r} is no column")
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number
