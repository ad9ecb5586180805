"""Names in sentences: what a name may hold that must not reach beyond it."""

# Marks that turn the direction of what follows, and the pair that keeps them in.
TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
ISOLATE, END = "\u2068", "\u2069"


def isolated(text: str) -> str:
    """Return text that can stand in a sentence: its marks for right-to-left writing end with it."""
    return f"{ISOLATE}{text}{END}" if TURNING & set(text) else text
