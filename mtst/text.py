"""Text from outside: shown exactly, with markup as text and its direction isolated, and normalized in linear time."""

import unicodedata
from html import escape

# Unicode has a picture for each control character.
CONTROL_PICTURES = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n\r"} | {127: 0x2421}


def visible(text: str) -> str:
    """Return the text with its control characters replaced by their Unicode pictures."""
    return text.translate(CONTROL_PICTURES)


def escape_html(text: str) -> str:
    """Return the text escaped for HTML."""
    return escape(visible(text))


def inline_text(text: str, length: int = 80) -> str:
    """Return the text for a component without markup, such as a menu: truncated, with its direction isolated."""
    return isolate_bidi(truncate(visible(text), length))


def truncate(text: str, length: int) -> str:
    """Return the text, shortened to `length` characters with an ellipsis at the end."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def quantity(number: int, noun: str) -> str:
    """Return how many there are of what a noun names: `no rows`, `1 row`, `2,000 rows`."""
    return f"{f'{number:,}' if number else 'no'} {noun}{'' if number == 1 else 's'}"


# Characters that change the direction of the text that follows, and the pair that isolates them.
BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"


def isolate_bidi(text: str) -> str:
    """Return the text with its direction isolated, so that it cannot reorder the sentence around it."""
    return f"{FIRST_STRONG_ISOLATE}{text}{POP_ISOLATE}" if BIDI_CONTROLS & set(text) else text


NORMALIZED_PIECE = 200  # characters that are normalized at once; most letters have an accent or two, none has thousands
JOINING = frozenset((*range(0x1160, 0x1200), 0xFF9E, 0xFF9F))  # vowels and ends of Hangul, half-width sound marks


def normalize_unicode(text: str) -> str:
    """Return a text with composed letters and without compatibility forms (Unicode's NFKC).

    Sorting the accents of one letter takes quadratic time, and a text may be nothing but accents. So it is normalized
    in pieces, which begin at letters wherever there are letters.
    """
    if text.isascii():
        return text
    pieces, start = [], 0
    while start < len(text):
        end = start + NORMALIZED_PIECE
        limit = min(len(text), end + NORMALIZED_PIECE)
        while end < limit and not _begins_letter(text[end]):
            end += 1
        pieces.append(unicodedata.normalize("NFKC", text[start:end]))
        start = end
    return "".join(pieces)


def _begins_letter(character: str) -> bool:
    return not unicodedata.combining(character) and ord(character) not in JOINING
