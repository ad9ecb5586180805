"""A file -> its bytes, unpacked; what is known not to be a table is refused.

The content of a file is either all in memory, up to a limit, or read again from the file wherever it is needed, so that
a text of any size takes little memory.
"""

import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, BytesIO, RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import zstandard

from mtst.data.limits import Limits
from mtst.data.readers.signatures import check_kind
from mtst.errors import DataError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CHUNK = 1 << 20
KIND_BYTES = 512  # in which every known kind shows itself
MAX_ZSTD_WINDOW = 1 << 27  # bytes of memory that unpacking may take
ZSTD_CHUNK = 1 << 10  # so few packed bytes unpack to 32 MB at most
Content = bytes | Path  # the unpacked bytes of a file, or the path to read them from
ZIP = b"PK\x03\x04"  # the first bytes of a ZIP archive, such as an XLSX or ODS file
PARQUET = b"PAR1\x15"  # and the first field of a page, for a text may begin with PAR1
BINARY_TABLES = (ZIP, PARQUET)  # are read from memory


@dataclass(frozen=True)
class Packing:
    """A way to pack one file: its first bytes, its name and how it is opened for reading."""

    magic: bytes
    name: str
    open: Callable[[Path], BinaryIO]


def _open_gzip(path: Path) -> BinaryIO:
    return BufferedReader(gzip.GzipFile(path), CHUNK)


class _ZstdFile(RawIOBase):
    """The unpacked bytes of one or more zstd frames.

    Raises:
        zstandard.ZstdError: while reading, if the file is damaged or cut off, or needs too much memory.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._unpacker = zstandard.ZstdDecompressor(max_window_size=MAX_ZSTD_WINDOW)
        self._frame = self._unpacker.decompressobj()
        self._unpacked = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        target = memoryview(buffer).cast("B")
        while not self._unpacked:
            packed = self._frame.unused_data if self._frame.eof else b""
            packed = packed or self._file.read(ZSTD_CHUNK)
            if not packed and not self._frame.eof:
                raise zstandard.ZstdError("it is cut off")
            if not packed:
                return 0
            if self._frame.eof:  # another frame follows
                self._frame = self._unpacker.decompressobj()
            self._unpacked = self._frame.decompress(packed)
        count = min(len(target), len(self._unpacked))
        target[:count] = self._unpacked[:count]
        self._unpacked = self._unpacked[count:]
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


PACKINGS = (
    Packing(b"\x1f\x8b", "gzip", _open_gzip),
    Packing(b"\x28\xb5\x2f\xfd", "zstd", lambda path: BufferedReader(_ZstdFile(path), CHUNK)),
)


def read_bytes(path: Path, limits: Limits) -> bytes:
    """Return the content of a file, unpacked if it is packed with gzip or zstd.

    Raises:
        DataError: it cannot be read, is damaged, is no table, or holds more than the limit.
    """
    with translate_read_errors(path.name or str(path)), open_content(path) as file:
        raw = _read(file, path.name, limits, packed=_packing(path) is not None)
    check_kind(path.name, raw)
    return raw


def open_content(content: Content) -> BinaryIO:
    """Open the content of a file from its beginning, unpacked if it is packed.

    Raises:
        OSError: it cannot be read, or cannot be read twice, such as a pipe.
    """
    if isinstance(content, bytes):
        return BytesIO(content)
    packing = _packing(content)
    return packing.open(content) if packing else content.open("rb")


def _packing(path: Path) -> Packing | None:
    with path.open("rb") as file:
        start = file.read(4)
        file.seek(0)  # fails where reopening it would not start at the beginning
    return next((packing for packing in PACKINGS if start.startswith(packing.magic)), None)


def read_start(content: Content, size: int) -> bytes:
    """Return the first `size` bytes, or all if there are fewer."""
    with open_content(content) as file:
        return file.read(size)


@contextmanager
def translate_read_errors(name: str) -> Iterator[None]:
    """Raise what can go wrong while a file is read as a `DataError` that says which file and why."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError) as error:
        packing = "zstd" if isinstance(error, zstandard.ZstdError) else "gzip"
        raise DataError(f"{name} is a damaged {packing} file: {error}. Pack it again.") from error
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error.strerror or error}.") from error
    except UnicodeError as error:
        raise DataError(f"{name} cannot be read in this encoding: {error}. Choose another encoding.") from error


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
