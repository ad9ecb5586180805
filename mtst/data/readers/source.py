"""A file -> its bytes, unpacked, and the encoding of their text.

What is read of a file is either all in memory, up to a limit, or read again from the file wherever it is needed, so
that a text of any size takes little memory.
"""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from io import BufferedReader, BytesIO, TextIOWrapper
from pathlib import Path
from typing import BinaryIO

from mtst.data.limits import Limits
from mtst.errors import DataError

CHUNK = 1 << 20
LONGEST_ROW = 2_000_000  # characters; its cells take thirty times as much memory where each has but two
GZIP = b"\x1f\x8b"
Content = bytes | Path  # of a file, unpacked; or where to read it
# What a file that is no table begins with, and what to do about it.
REFUSED = {
    b"\xd0\xcf\x11\xe0": "is an Excel file of the old kind (.xls) or has a password. Save it as .xlsx or CSV",
    b"PAR1\x15": "is a Parquet file. Save the table as CSV or JSON Lines",
    b"%PDF": "is a PDF. Save the table as CSV or XLSX",
    b"7z\xbc\xaf": "is an archive. Unpack it first",
    b"Rar!\x1a": "is an archive. Unpack it first",
    b"BZh91AY&SY": "is packed with bzip2. Unpack it, or pack it with gzip",
    b"\xfd7zXZ": "is packed with xz. Unpack it, or pack it with gzip",
}
ZIP = b"PK\x03\x04"  # what a workbook begins with


def read_bytes(path: Path, limits: Limits) -> bytes:
    """Return what is in a file, unpacked if it is gzipped.

    Raises:
        DataError: it cannot be read, is damaged, is no table, or holds more than the limit.
    """
    with translate_read_errors(path.name or str(path)), open_content(path) as file:
        raw = _read(file, path.name, limits, packed=_is_packed(path))
    check_kind(path.name, raw)
    return raw


def open_content(content: Content) -> BinaryIO:
    """Open what is in a file, unpacked if it is gzipped, from its beginning.

    Raises:
        OSError: it cannot be read, or only once, as a pipe can.
    """
    if isinstance(content, bytes):
        return BytesIO(content)
    return BufferedReader(gzip.open(content), CHUNK) if _is_packed(content) else content.open("rb")


def _is_packed(path: Path) -> bool:
    with path.open("rb") as file:
        packed = file.read(len(GZIP)) == GZIP
        file.seek(0)  # fails where opening it once more would go on from here
    return packed


def beginning(content: Content, size: int) -> bytes:
    """Return at most the first `size` bytes."""
    with open_content(content) as file:
        return file.read(size)


@contextmanager
def translate_read_errors(name: str) -> Iterator[None]:
    """Turn what can go wrong while a file is read into a `DataError` that says which file and why."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{name} is a damaged gzip file: {error}. Pack it again.") from error
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error.strerror or error}.") from error


def check_kind(name: str, start: bytes) -> None:
    """Refuse what is known not to be a table by its first bytes.

    Raises:
        DataError: it is of such a kind; the message says what to do about it.
    """
    for mark, advice in REFUSED.items():
        if start.startswith(mark):
            raise DataError(f"{name} {advice}.")


def _read(file: BinaryIO, name: str, limits: Limits, *, packed: bool) -> bytes:
    content = bytearray()
    while chunk := file.read(CHUNK):
        content += chunk
        if len(content) > limits.bytes:
            holds = "unpacks to" if packed else "has"
            raise DataError(
                f"{name} {holds} more than {limits.megabytes:g} MB, the most that can be read here. "
                "Keep fewer rows, or only the columns of the text and the labels."
            )
    return bytes(content)


def text_stream(content: Content, encoding: str) -> TextIOWrapper:
    """Return the text, decoded as it is read, its line ends as they are; what cannot be decoded is U+FFFD."""
    return TextIOWrapper(open_content(content), encoding, errors="replace", newline="")


def text_lines(name: str, content: Content, encoding: str) -> Iterator[str]:
    """Yield the lines of a text, their ends included.

    Raises:
        DataError: a line is longer than a row can be, or the file cannot be read on.
    """
    with translate_read_errors(name), text_stream(content, encoding) as stream:
        for number, line in enumerate(iter(partial(stream.readline, LONGEST_ROW + 1), ""), 1):
            if len(line) > LONGEST_ROW:
                raise DataError(
                    f"Line {number:,} of {name} has more than {LONGEST_ROW:,} characters. "
                    "Shorten it, or save the table again with a line for each row."
                )
            yield line
