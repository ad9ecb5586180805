"""What can be embedded: a list of texts, each of them whole."""

import re
from collections.abc import Sequence

from mtst.errors import EncoderError
from mtst.text import truncate

LONE_SURROGATE = re.compile("[\\ud800-\\udfff]")


def check_texts(texts: Sequence[str]) -> None:
    """Check that these are texts.

    Raises:
        EncoderError: this is a single text, or one of them is no text, or holds half of a character.
    """
    if isinstance(texts, str):
        raise EncoderError("encode takes a list of texts, not a single one: encode([text]).")
    for number, text in enumerate(texts, 1):
        if not isinstance(text, str):
            raise EncoderError(f"Text {number} is {truncate(repr(text), 40)}, not a string.")
        if has_lone_surrogate(text):
            raise EncoderError(f"Text {number} holds half of a character (a lone surrogate). Write it again.")


def has_lone_surrogate(text: str) -> bool:
    """Return whether a text holds half of a character, which no encoding of Unicode can write."""
    return not text.isascii() and LONE_SURROGATE.search(text) is not None
