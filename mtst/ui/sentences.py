"""What is typed into Compare: how many sentences it may be, and how one is named in a table."""

from mtst.ui.literal import short
from mtst.ui.parts.pieces import problem

MAX_SENTENCES = 200
LONGEST = 200  # characters of a sentence in a table


def too_many(sentences: list[str]) -> str:
    """Return what is wrong if these are too many, as HTML; nothing otherwise."""
    if len(sentences) <= MAX_SENTENCES:
        return ""
    return problem(
        f"These are {len(sentences):,} sentences; at most {MAX_SENTENCES} can be compared here. "
        "To search among more, upload them as a file below."
    )


def named(sentences: list[str], k: int) -> str:
    """Return a sentence with its number, cut."""
    return f"{k + 1}. {short(sentences[k], LONGEST)}"
