import unicodedata

import pytest

from mtst.encoders.catalogue import CATALOGUE
from mtst.encoders.scripts import describe_script, encoder_for, main_script


@pytest.mark.parametrize(
    ("texts", "script"),
    [
        (["a good film"], "LATIN"),
        ([], "LATIN"),
        (["123 😀 !"], "LATIN"),
        (["我用 JavaScript programming for years"], "CJK"),
        (["좋은 영화"], "HANGUL"),
        (["ｆｕｌｌ ｗｉｄｔｈ"], "LATIN"),
        (["अच्छी फिल्म", "शुभ", "хорошо"], "DEVANAGARI"),
    ],
)
def test_the_script_of_texts_is_the_most_frequent_beside_latin(texts, script):
    assert main_script(texts) == script


def test_the_scripts_of_the_catalogue_are_those_of_letters():
    names = {unicodedata.name(chr(code), "").partition(" ")[0] for code in range(0x10000) if chr(code).isalpha()}
    for entry in CATALOGUE.values():
        assert set(entry.scripts) <= names
        assert bool(entry.scripts) == (entry.languages != "English")


@pytest.mark.parametrize(
    ("script", "current", "key"),
    [
        ("CJK", "all-MiniLM-L6-v2", "multilingual-e5-small"),
        ("LATIN", "all-MiniLM-L6-v2", "multilingual-e5-small"),
        ("THAI", "intfloat/multilingual-e5-small", "paraphrase-multilingual-MiniLM-L12-v2"),
        ("TAMIL", "multilingual-e5-small", None),
        ("TIBETAN", "all-MiniLM-L6-v2", None),
    ],
)
def test_an_encoder_is_chosen_that_covers_the_script_and_is_another_one(monkeypatch, script, current, key):
    monkeypatch.setattr("mtst.encoders.scripts.find_encoder", lambda _: None)
    assert encoder_for(script, current) == key


def test_one_that_is_on_this_machine_goes_first(monkeypatch, tmp_path):
    here = "paraphrase-multilingual-MiniLM-L12-v2"
    monkeypatch.setattr("mtst.encoders.scripts.find_encoder", lambda name: tmp_path if name == here else None)
    assert encoder_for("CJK", "all-MiniLM-L6-v2") == here
    assert encoder_for("TAMIL", "all-MiniLM-L6-v2") == "multilingual-e5-small"


def test_scripts_are_described_in_words():
    assert [describe_script(each) for each in ("CJK", "HANGUL", "TAMIL", "LATIN")] == [
        "Chinese characters", "Korean", "Tamil script", "more languages",
    ]  # fmt: skip
