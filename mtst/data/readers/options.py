"""How a file is to be read, where the user knows better than what is detected."""

import codecs
from dataclasses import dataclass

from mtst.errors import DataError

DELIMITER_NAMES = {
    "comma": ",",
    "semicolon": ";",
    "tab": "\t",
    "\\t": "\t",
    "bar": "|",
    "pipe": "|",
    "space": " ",
    "none": "\x1f",
}
LONGEST_DELIMITER = 20
# Codecs of names and program text, of which some take quadratic time.
NO_ENCODINGS = frozenset(("idna", "punycode", "unicode_escape", "raw_unicode_escape", "utf-7"))


@dataclass(frozen=True)
class ReadOptions:
    """What a user says about a file; what is None or empty is detected.

    Attributes:
        header: whether the first row names the columns.
        encoding: the encoding of a text, as Python names it.
        delimiter: what separates the cells of a text: one or several characters, or `tab`, `comma` and the like;
            `none` for one column.
        sheet: the name of the sheet of a workbook, or of the file of an archive.
        header_line: the line of the file that names the columns, counted from 1; the rows above it are left out. 0 if
            it is not chosen.

    Raises:
        DataError: there is no such encoding or line, or the delimiter cannot be one.
    """

    header: bool | None = None
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    header_line: int = 0

    def __post_init__(self) -> None:
        if self.header_line < 0:
            raise DataError(f"Lines are counted from 1: {self.header_line} cannot be that of the column names.")
        if self.header_line and self.header is False:
            raise DataError(f"Choose line {self.header_line} for the column names, or that there are none, not both.")
        if self.encoding:
            try:
                if codecs.lookup(self.encoding).name in NO_ENCODINGS:
                    raise LookupError(self.encoding)
                "".encode(self.encoding)
            except (LookupError, UnicodeError, ValueError, TypeError) as error:
                raise DataError(
                    f"There is no text encoding {self.encoding[:40]!r}. Use a name such as utf-8, cp1254 or iso8859-9."
                ) from error
        separator = self.separator
        if separator and (len(separator) > LONGEST_DELIMITER or set(separator) & set('"\r\n\0')):
            raise DataError(
                f"{self.delimiter[:40]!r} cannot be a delimiter. Use up to {LONGEST_DELIMITER} characters, or tab, "
                "comma, semicolon or bar."
            )

    @property
    def separator(self) -> str:
        """The delimiter itself: `tab` and the like are names."""
        return DELIMITER_NAMES.get(self.delimiter.lower(), self.delimiter)


DETECT = ReadOptions()
