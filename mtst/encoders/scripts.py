"""The script that texts are written in, and the encoder of the catalogue for it."""

import unicodedata
from collections import Counter
from collections.abc import Iterable

from mtst.encoders.catalogue import CATALOGUE, catalogue_key
from mtst.encoders.loading import find_encoder

TEXT_CHARACTERS = 500  # of each text that are looked at
LATIN = "LATIN"
NAMES = {
    "CJK": "Chinese characters",
    "HIRAGANA": "Japanese",
    "KATAKANA": "Japanese",
    "HANGUL": "Korean",
    LATIN: "more languages",
}


def main_script(texts: Iterable[str]) -> str:
    """Return the most frequent script other than Latin, by the first word of Unicode's names; Latin if there is none.

    Latin words stand between those of other scripts, and encoders hardly miss them.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        letters = filter(str.isalpha, unicodedata.normalize("NFKC", text[:TEXT_CHARACTERS]))
        counts.update(unicodedata.name(letter, LATIN).partition(" ")[0] for letter in letters)
    del counts[LATIN]
    return max(counts, key=counts.__getitem__, default=LATIN)


def describe_script(script: str) -> str:
    """Return what an encoder for a script reads, in words."""
    return NAMES.get(script) or f"{script.capitalize()} script"


def encoder_for(script: str, current: str) -> str | None:
    """Return the key of the encoder of the catalogue that covers a script; None if there is none but the current one.

    One that is on this machine goes before those that have to be downloaded.
    """
    keys = [key for key, entry in CATALOGUE.items() if script in entry.scripts and key != catalogue_key(current)]
    return next((key for key in keys if find_encoder(key)), keys[0] if keys else None)
