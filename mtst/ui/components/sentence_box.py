"""Sentences that a visitor types: their limits, and how tables show them."""

from collections.abc import Sequence

from mtst.analysis.similarity import unique_sentences
from mtst.errors import DataError
from mtst.text import truncate

MAX_SENTENCES = 200  # in the Compare tab
MAX_CHARACTERS = 1_000_000  # of a text box or an API call in all: visitors share the tokenizer
MAX_QUERY_CHARACTERS = 10_000  # of one query
CELL_CHARACTERS = 200  # characters of a sentence in a table


def split_sentences(text: str, max_sentences: int = MAX_SENTENCES) -> list[str]:
    """Return the distinct lines of a text box.

    Raises:
        DataError: there are more than `max_sentences`, or they are too long together.
    """
    sentences = unique_sentences(text.splitlines())
    if len(sentences) > max_sentences:
        raise DataError(
            f"These are {len(sentences):,} sentences; at most {max_sentences:,} fit here. "
            "For more, upload them as a file."
        )
    if sum(map(len, sentences)) > MAX_CHARACTERS:
        raise DataError(f"These sentences have more than {MAX_CHARACTERS:,} characters together. Write fewer.")
    return sentences


def clean_query(text: str) -> str:
    """Return the query of a text box, cut if it is far longer than any encoder reads."""
    return text.strip()[:MAX_QUERY_CHARACTERS].strip()


def numbered_sentence(sentences: Sequence[str], index: int) -> str:
    """Return a sentence with its number, cut for a table."""
    return f"{index + 1}. {truncate(sentences[index], CELL_CHARACTERS)}"
