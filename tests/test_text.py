"""Text from outside, normalized."""

import unicodedata

import pytest

from mtst.text import NORMALIZED_PIECE, normalize_unicode, quantity


@pytest.mark.parametrize(
    "unit",
    ["e\u0301 ", "ﬁne ", "\u1112\u1161\u11ab", "漢字か\u3099", "ｶﾞ", "a\u0323\u0307", "plain "],
    ids=["accent", "ligature", "jamo", "kana", "half-width kana", "two accents", "ascii"],
)
def test_a_long_text_is_normalized_as_unicode_says(unit: str) -> None:
    text = unit * NORMALIZED_PIECE
    assert normalize_unicode(text) == unicodedata.normalize("NFKC", text)


def test_a_letter_with_a_great_many_accents_takes_linear_time() -> None:
    text = "a" + "\u0301\u0323" * 1_000_000  # a million pairs take hours in quadratic time
    normalized = normalize_unicode(text)
    assert len(normalized) >= len(text) - 2 * NORMALIZED_PIECE
    assert set(normalized) <= set(unicodedata.normalize("NFKC", "a\u0301\u0323") + "a\u0301\u0323\u00e1\u1ea1")


@pytest.mark.parametrize(("number", "words"), [(0, "no rows"), (1, "1 row"), (2, "2 rows"), (2000, "2,000 rows")])
def test_a_quantity_agrees_with_its_noun(number, words):
    assert quantity(number, "row") == words
