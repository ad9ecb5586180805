"""TODO."""

import codecs
import re

from mtst.data.readers.source import CHUNK, Content, beginning, open_content, text_stream

SAMPLE = 1 << 16
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
NEARLY = 0.1  # of charset_normalizer's measures of mess and of sense: as good as the best


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


def is_text(content: Content, encoding: str) -> bool:
    """Tell whether the beginning holds hardly any control characters."""
    sample = text_stream(beginning(content, SAMPLE), encoding).read()
    controls = sum(character < " " and character not in "\t\n\r\f" for character in sample)
    return controls <= max(8, len(sample) // 10)
