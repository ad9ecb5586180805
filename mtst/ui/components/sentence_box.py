"""What is typed into a box: how much it may be, and how a sentence is named in a table."""

from mtst.analysis.similarity import distinct
from mtst.errors import DataError
from mtst.text import truncate

MAX_SENTENCES = 200  # that are compared
MAX_CHARACTERS = 1_000_000  # of all sentences of a box, or of a program's call: all visitors share the tokenizer
MAX_QUERY_CHARACTERS = 10_000  # characters of one sentence that is asked about
CELL_CHARACTERS = 200  # characters of a sentence in a table


def split_sentences(text: str, most: int = MAX_SENTENCES) -> list[str]:
    """Return the different sentences that stand in a box, one a line.

    Raises:
        DataError: they are more than `most`, or too long together.
    """
    sentences = distinct(text.splitlines())
    if len(sentences) > most:
        raise DataError(
            f"These are {len(sentences):,} sentences; at most {most:,} fit here. For more, upload them as a file."
        )
    if sum(map(len, sentences)) > MAX_CHARACTERS:
        raise DataError(f"These sentences have more than {MAX_CHARACTERS:,} characters together. Write fewer.")
    return sentences


def clean_query(text: str) -> str:
    """Return the one sentence that stands in a box, cut where it is far longer than what any encoder reads."""
    return text.strip()[:MAX_QUERY_CHARACTERS].strip()


def numbered_sentence(sentences: list[str], k: int) -> str:
    """Return a sentence with its number, cut."""
    return f"{k + 1}. {truncate(sentences[k], CELL_CHARACTERS)}"
