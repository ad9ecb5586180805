"""The prompt that an encoder puts in front of every text: one of its own, or a text of the user's.

It is kept where sentence-transformers keeps it, as the default prompt of the backbone. So a saved model has it, and
plain sentence-transformers puts the same in front.
"""

import re
from typing import TYPE_CHECKING

from mtst.encoders.texts import has_lone_surrogate
from mtst.errors import EncoderError
from mtst.text import truncate

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

OWN = "custom"  # the name of a prompt that the user has written
MAX_CHARACTERS = 1_000
NAME = re.compile(r"[\w-]+")


def default_prompt(backbone: "SentenceTransformer") -> str:
    """Return the prompt that a backbone puts in front of texts by default; often it is empty."""
    return backbone.prompts.get(backbone.default_prompt_name or "") or ""


def set_default_prompt(backbone: "SentenceTransformer", chosen: str, encoder: str) -> None:
    """Choose the prompt that a backbone puts in front of texts by default.

    Args:
        backbone: the sentence-transformers model.
        chosen: the name of one of its prompts, or the text of a prompt; empty for none. A single word is a name: a text
            that is put in front of others ends with a blank or a colon.
        encoder: the name of the encoder, for the error.

    Raises:
        EncoderError: the encoder has no prompt of that name, or the text is too long or holds half of a character.
    """
    own = {name: text for name, text in backbone.prompts.items() if text}
    names = [name for name, text in own.items() if chosen in (name, text)]
    if not chosen:
        backbone.default_prompt_name = None
    elif names:
        backbone.default_prompt_name = names[0] if chosen not in own else chosen
    elif NAME.fullmatch(chosen):
        known = ", ".join(sorted(own)) if own else "none"
        raise EncoderError(
            f"{encoder!r} has no prompt named {truncate(chosen, 40)!r}. Its prompts: {known}. To write one yourself, "
            f"end it as it should stand before a text, such as {truncate(chosen, 40) + ': '!r}."
        )
    elif len(chosen) > MAX_CHARACTERS or has_lone_surrogate(chosen):
        raise EncoderError(f"A prompt has up to {MAX_CHARACTERS:,} whole characters. Write a shorter one.")
    else:
        backbone.prompts = {**backbone.prompts, OWN: chosen}
        backbone.default_prompt_name = OWN


def describe_prompt(prompt: str) -> str:
    """Return a sentence that tells which prompt an encoder uses; empty if it uses none."""
    return f"Each text begins with “{prompt}”." if prompt else ""
