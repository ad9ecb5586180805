"""A file -> its bytes, unpacked; what is known not to be a table is refused.

The content of a file is either all in memory, up to a limit, or read again from the file wherever it is needed, so that
a text of any size takes little memory.
"""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import BinaryIO

from mtst.data.limits import Limits
from mtst.errors import DataError

CHUNK = 1 << 20
GZIP = b"\x1f\x8b"
Content = bytes | Path  # the unpacked bytes of a file, or the path to read them from
# First bytes of files that are no table -> what to do about it.
REFUSED = {
    b"\xd0\xcf\x11\xe0": "is an Excel file of the old kind (.xls) or has a password. Save it as .xlsx or CSV",
    b"PAR1\x15": "is a Parquet file. Save the table as CSV or JSON Lines",
    b"%PDF": "is a PDF. Save the table as CSV or XLSX",
    b"7z\xbc\xaf": "is an archive. Unpack it first",
    b"Rar!\x1a": "is an archive. Unpack it first",
    b"BZh91AY&SY": "is packed with bzip2. Unpack it, or pack it with gzip",
    b"\xfd7zXZ": "is packed with xz. Unpack it, or pack it with gzip",
}
ZIP = b"PK\x03\x04"  # the first bytes of an XLSX file


def read_bytes(path: Path, limits: Limits) -> bytes:
    """Return the content of a file, unpacked if it is gzipped.

    Raises:
        DataError: it cannot be read, is damaged, is no table, or holds more than the limit.
    """
    with translate_read_errors(path.name or str(path)), open_content(path) as file:
        raw = _read(file, path.name, limits, gzipped=_is_gzipped(path))
    check_kind(path.name, raw)
    return raw


def open_content(content: Content) -> BinaryIO:
    """Open the content of a file from its beginning, unpacked if it is gzipped.

    Raises:
        OSError: it cannot be read, or cannot be read twice, such as a pipe.
    """
    if isinstance(content, bytes):
        return BytesIO(content)
    return BufferedReader(gzip.open(content), CHUNK) if _is_gzipped(content) else content.open("rb")


def _is_gzipped(path: Path) -> bool:
    with path.open("rb") as file:
        is_gzipped = file.read(len(GZIP)) == GZIP
        file.seek(0)  # fails where reopening it would not start at the beginning
    return is_gzipped


def read_start(content: Content, size: int) -> bytes:
    """Return the first `size` bytes, or all if there are fewer."""
    with open_content(content) as file:
        return file.read(size)


@contextmanager
def translate_read_errors(name: str) -> Iterator[None]:
    """Raise what can go wrong while a file is read as a `DataError` that says which file and why."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{name} is a damaged gzip file: {error}. Pack it again.") from error
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error.strerror or error}.") from error


def check_kind(name: str, start: bytes) -> None:
    """Refuse a file whose first bytes are those of a known format that is no table.

    Raises:
        DataError: it is such a file; the message says what to do about it.
    """
    for magic, advice in REFUSED.items():
        if start.startswith(magic):
            raise DataError(f"{name} {advice}.")


def _read(file: BinaryIO, name: str, limits: Limits, *, gzipped: bool) -> bytes:
    content = bytearray()
    while chunk := file.read(CHUNK):
        content += chunk
        if len(content) > limits.bytes:
            holds = "unpacks to" if gzipped else "has"
            raise DataError(
                f"{name} {holds} more than {limits.megabytes:g} MB, the most that can be read here. "
                "Keep fewer rows, or only the columns of the text and the labels."
            )
    return bytes(content)
