"""A file -> its bytes, unpacked, and the encoding of their text.

What is read of a file is either all in memory, up to a limit, or read again from the file wherever it is needed, so
that a text of any size takes little memory.
"""

import codecs
import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from io import BufferedReader, BytesIO, TextIOWrapper
from pathlib import Path
from typing import BinaryIO

from mtst.errors import DataError
from mtst.limits import Limits

CHUNK = 1 << 20
SAMPLE = 1 << 16
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
# The longer marks first: the one of UTF-32 begins with that of UTF-16.
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
WESTERN = "cp1252"  # Latin-1, and what Windows adds to it
LEGACY = (
    WESTERN, "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "koi8_r", "cp932", "gb18030", "big5", "cp949",
)  # fmt: skip
BETWEEN = re.compile(rb'(?:[,;\t\r\n"]|(?<![\x80-\xff])\|)+')  # cells; a bar may be half of a character
REPLACEMENT = "\ufffd".encode()
ZIP = b"PK\x03\x04"  # what a workbook begins with
NEARLY = 0.1  # of charset_normalizer's measures of mess and of sense: as good as the best


def read_bytes(path: Path, limits: Limits) -> bytes:
    """Return what is in a file, unpacked if it is gzipped.

    Raises:
        DataError: it cannot be read, is damaged, is no table, or holds more than the limit.
    """
    with problems_told(path.name or str(path)), open_content(path) as file:
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
def problems_told(name: str) -> Iterator[None]:
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


def find_encoding(content: Content) -> str:
    """Return the name of the encoding of a text: by its mark, as UTF-8 if it can be, by its zeros, or as most likely.

    A text with few bytes that are not UTF-8 among many that are is UTF-8; those few show as U+FFFD.
    """
    start = beginning(content, SAMPLE)
    for mark, encoding in MARKS:
        if start.startswith(mark):
            return encoding
    if encoding := _two_bytes(start):
        return encoding
    good, bad = _utf8(content)
    return "utf-8" if 10 * bad <= good else _likeliest(content)


def _two_bytes(sample: bytes) -> str | None:
    """Recognise UTF-16 without its mark by the zeros that every second byte of Latin letters is."""
    half = len(sample) // 2
    if half and sample[1::2].count(0) > 0.4 * half and sample[::2].count(0) < 0.1 * half:
        return "utf-16-le"
    if half and sample[::2].count(0) > 0.4 * half and sample[1::2].count(0) < 0.1 * half:
        return "utf-16-be"
    return None


def _utf8(content: Content) -> tuple[int, int]:
    """Count what UTF-8 makes of bytes above 127: characters, and places that are none."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    good = bad = 0
    before = b""
    with open_content(content) as file:
        while chunk := file.read(CHUNK):
            text = decoder.decode(chunk)
            lost = text.count("\ufffd")
            meant = (before + chunk).count(REPLACEMENT)  # a text may hold the sign itself
            good += len(text) - len(text.encode("ascii", "ignore")) - lost + meant
            bad += lost - meant
            before = chunk[1 - len(REPLACEMENT) :]
    return good, bad + len(decoder.decode(b"", final=True))


def _likeliest(content: Content) -> str:
    """Ask charset_normalizer; Western European where it is about as likely as the best, for short texts look alike.

    It is asked about different cells that are not all ASCII, or labels in English would outweigh a text in French.
    """
    with open_content(content) as file:
        place = 0
        while (chunk := file.read(CHUNK)).isascii() and chunk:
            place += len(chunk)
        place += next((place for place, byte in enumerate(chunk) if byte > 127), 0)
        file.seek(max(0, place - SAMPLE))
        around = file.read(CHUNK)
    cells = dict.fromkeys(cell for cell in BETWEEN.split(around) if not cell.isascii())
    sample = b"\n".join(cells)[:SAMPLE]
    import charset_normalizer  # here, since few files need it

    found = list(charset_normalizer.from_bytes(sample, cp_isolation=list(LEGACY), enable_fallback=False))
    if not found:
        return WESTERN
    best = found[0]
    for match in found:
        alike = match.chaos <= best.chaos + NEARLY and match.coherence >= best.coherence - NEARLY
        if alike and WESTERN in match.could_be_from_charset:
            return WESTERN
    return best.encoding


def text_stream(content: Content, encoding: str) -> TextIOWrapper:
    """Return the text, decoded as it is read, its line ends as they are; what cannot be decoded is U+FFFD."""
    return TextIOWrapper(open_content(content), encoding, errors="replace", newline="")


def text_lines(name: str, content: Content, encoding: str) -> Iterator[str]:
    """Yield the lines of a text, their ends included.

    Raises:
        DataError: a line is longer than a row can be, or the file cannot be read on.
    """
    with problems_told(name), text_stream(content, encoding) as stream:
        for number, line in enumerate(iter(partial(stream.readline, LONGEST_ROW + 1), ""), 1):
            if len(line) > LONGEST_ROW:
                raise DataError(
                    f"Line {number:,} of {name} has more than {LONGEST_ROW:,} characters. "
                    "Shorten it, or save the table again with a line for each row."
                )
            yield line


def is_text(content: Content, encoding: str) -> bool:
    """Tell whether the beginning holds hardly any control characters."""
    sample = text_stream(beginning(content, SAMPLE), encoding).read()
    controls = sum(character < " " and character not in "\t\n\r\f" for character in sample)
    return controls <= max(8, len(sample) // 10)
