"""What a visitor typed, shown as typed: markup is text, what has no shape gets one, nothing turns its neighbours."""

from html import escape

from mtst.writing import isolated

# NUL and the other control characters have pictures of their own in Unicode.
PICTURES = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n\r"} | {127: 0x2421}


def literal(text: str) -> str:
    """Return text for HTML."""
    return escape(text.translate(PICTURES))


def inline(text: str, length: int = 80) -> str:
    """Return text for a place that takes no markup, such as a menu: cut, and without power over what stands beside."""
    return isolated(short(text.translate(PICTURES), length))


def short(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
