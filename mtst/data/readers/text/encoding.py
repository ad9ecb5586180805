"""Bytes -> text: find the encoding of a file, decode it, and split it into lines."""

import codecs
import re
from collections.abc import Iterator
from functools import partial
from io import TextIOWrapper

from mtst.data.readers.notes import Notes
from mtst.data.readers.source import CHUNK, Content, open_content, read_start, translate_read_errors
from mtst.data.readers.text.encoding_guess import guess_encodings
from mtst.errors import DataError

LONGEST_ROW = 2_000_000  # characters; as cells of two characters each they take thirty times as much memory
SAMPLE = 1 << 16  # bytes
# UTF-32 before UTF-16: the byte order mark of the one begins with that of the other.
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
CELL_SEPARATORS = re.compile(rb'(?:[,;\t\r\n"]|(?<![\x80-\xff])\|)+')  # a bar may be half of a character
REPLACEMENT = "\ufffd".encode()


def choose_encoding(content: Content, chosen: str, notes: Notes) -> str:
    """Return the encoding that the user chose, or that of the text; note it if it is a guess."""
    if chosen:
        start = read_start(content, len(codecs.BOM_UTF8))
        is_utf8 = codecs.lookup(chosen).name == "utf-8"
        return "utf-8-sig" if is_utf8 and start == codecs.BOM_UTF8 else chosen
    if encoding := _unicode_encoding(content):
        return encoding
    sample = _sample_beyond_ascii(content)
    best, *others = guess_encodings(sample)
    also = ", ".join(f"{guess.encoding} ({guess.name})" for guess in others)
    notes.add(
        "guessed encoding",
        what=f"The file is not in UTF-8; its encoding is guessed: {best.encoding}, {best.name}."
        + (f" Also possible: {also}." if also else "")
        + " If letters look wrong, choose another encoding.",
        example=sample.split(b"\n")[0].decode(best.encoding, "replace"),
    )
    return best.encoding


def find_encoding(content: Content) -> str:
    """Return the encoding of a text: that of its byte order mark, UTF-16, UTF-8, or else the most likely one."""
    return choose_encoding(content, "", Notes())


def encoding_name(encoding: str) -> str:
    """Return an encoding as a person writes it."""
    return "UTF-8" if encoding.startswith("utf-8") else encoding.upper()


def _unicode_encoding(content: Content) -> str | None:
    """Return the kind of Unicode that a text is in, or None.

    A few invalid bytes among many characters are tolerated in UTF-8; they are decoded as U+FFFD.
    """
    start = read_start(content, SAMPLE)
    for mark, encoding in BYTE_ORDER_MARKS:
        if start.startswith(mark):
            return encoding
    if utf16 := _detect_utf16(start):
        return utf16
    valid, invalid = _count_utf8(content)
    return "utf-8" if 10 * invalid <= valid else None


def _detect_utf16(sample: bytes) -> str | None:
    """Return the kind of UTF-16 without a byte order mark: every second byte of Latin letters is zero."""
    half = len(sample) // 2
    if half and sample[1::2].count(0) > 0.4 * half and sample[::2].count(0) < 0.1 * half:
        return "utf-16-le"
    if half and sample[::2].count(0) > 0.4 * half and sample[1::2].count(0) < 0.1 * half:
        return "utf-16-be"
    return None


def _count_utf8(content: Content) -> tuple[int, int]:
    """Count the characters beyond ASCII, and the places that are not valid UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    valid = invalid = 0
    before = b""
    with open_content(content) as file:
        while chunk := file.read(CHUNK):
            text = decoder.decode(chunk)
            replaced = text.count("\ufffd")
            literal = (before + chunk).count(REPLACEMENT)  # a text may hold the character itself
            valid += len(text) - len(text.encode("ascii", "ignore")) - replaced + literal
            invalid += replaced - literal
            before = chunk[1 - len(REPLACEMENT) :]
    return valid, invalid + len(decoder.decode(b"", final=True))


def _sample_beyond_ascii(content: Content) -> bytes:
    """Return different cells that are not all ASCII, or labels in English would outweigh a text in French."""
    with open_content(content) as file:
        position = 0
        while (chunk := file.read(CHUNK)).isascii() and chunk:
            position += len(chunk)
        position += next((index for index, byte in enumerate(chunk) if byte > 127), 0)
        file.seek(max(0, position - SAMPLE))
        surroundings = file.read(CHUNK)
    cells = dict.fromkeys(cell for cell in CELL_SEPARATORS.split(surroundings) if not cell.isascii())
    return b"\n".join(cells)[:SAMPLE]


def is_text(name: str, content: Content, encoding: str) -> bool:
    """Return whether the beginning holds hardly any control characters.

    Raises:
        DataError: it cannot be decoded at all.
    """
    with translate_read_errors(name):
        sample = text_stream(read_start(content, SAMPLE), encoding).read()
    controls = sum(character < " " and character not in "\t\n\r\f" for character in sample)
    return controls <= max(8, len(sample) // 10)


def text_stream(content: Content, encoding: str) -> TextIOWrapper:
    """Return the text, decoded while it is read, with its line ends unchanged; invalid bytes become U+FFFD."""
    return TextIOWrapper(open_content(content), encoding, errors="replace", newline="")


def text_lines(name: str, content: Content, encoding: str) -> Iterator[str]:
    """Yield the lines of a text, with their line ends.

    Raises:
        DataError: a line is longer than a row can be, or the file cannot be read to its end.
    """
    with translate_read_errors(name), text_stream(content, encoding) as stream:
        for number, line in enumerate(iter(partial(stream.readline, LONGEST_ROW + 1), ""), 1):
            if len(line) > LONGEST_ROW:
                raise DataError(
                    f"Line {number:,} of {name} has more than {LONGEST_ROW:,} characters. "
                    "Shorten it, or save the table again with a line for each row."
                )
            yield line
