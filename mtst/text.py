"""What a visitor typed, shown as typed: markup is text, what has no shape gets one, nothing turns its neighbours."""

from html import escape

# NUL and the other control characters have pictures of their own in Unicode.
PICTURES = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n\r"} | {127: 0x2421}


def visible(text: str) -> str:
    """Return the text with its control characters replaced by their Unicode pictures."""
    return text.translate(PICTURES)


def escape_html(text: str) -> str:
    """Return text for HTML."""
    return escape(visible(text))


def inline_text(text: str, length: int = 80) -> str:
    """Return text for a place that takes no markup, such as a menu: cut, and without power over what stands beside."""
    return isolate_bidi(truncate(visible(text), length))


def truncate(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


# Marks that turn the direction of what follows, and the pair that keeps them in.
TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
ISOLATE, END = "\u2068", "\u2069"


def isolate_bidi(text: str) -> str:
    """Return text that can stand in a sentence: its marks for right-to-left writing end with it."""
    return f"{ISOLATE}{text}{END}" if TURNING & set(text) else text
