"""How much text a box of the page lets through to an encoder."""

from types import SimpleNamespace

import numpy as np
import pytest

from mtst.analysis.similarity import normalize_rows
from mtst.errors import DataError
from mtst.ui.compare import encoder_difference, groups
from mtst.ui.compare import tab as compare_tab
from mtst.ui.compare.search import SearchIndex, search_file
from mtst.ui.components.sentence_box import MAX_CHARACTERS, MAX_QUERY_CHARACTERS, clean_query, split_sentences
from mtst.ui.map import source as map_source
from mtst.ui.map.drawing import STARTER, MapRequest, draw
from mtst.ui.map.selection import add_sentence
from mtst.ui.predict import answers
from mtst.ui.services.services import Services

TEXT = "A cat sleeps.\nA dog barks.\nShares fell."
LONG = "word " * (MAX_CHARACTERS // 5)
QUERY = "A kitten naps. " * MAX_QUERY_CHARACTERS


class Listening:
    """An encoder that remembers how long the longest text was that it has been asked for."""

    def __init__(self, encoder) -> None:
        self._encoder, self.longest = encoder, 0

    def encode(self, texts) -> np.ndarray:
        self.longest = max([self.longest, *map(len, texts)])
        return self._encoder.encode(texts)

    def __getattr__(self, name: str) -> object:
        return getattr(self._encoder, name)


@pytest.fixture
def listening(services: Services) -> Listening:
    return Listening(services.encoder)


def test_what_is_typed_has_a_limit_of_sentences_and_one_of_characters() -> None:
    assert split_sentences(" b \n\na\nb") == ["b", "a"]
    assert split_sentences(LONG) == [LONG.strip()]
    with pytest.raises(DataError, match="These are 201 sentences; at most 200 fit here"):
        split_sentences("\n".join(map(str, range(201))))
    for many in (LONG + "words", f"{LONG}\nabc", "\n".join(f"{n} {'x' * 100_000}" for n in range(10))):
        with pytest.raises(DataError, match="more than 1,000,000 characters together"):
            split_sentences(many, 1_000)
    assert clean_query(f"  {QUERY}") == QUERY[:MAX_QUERY_CHARACTERS].strip()


def test_no_box_of_the_page_lets_more_through(services: Services, listening: Listening) -> None:
    few, more = SimpleNamespace(encoder=listening), f"{TEXT}\n{LONG}"
    view = compare_tab.compare(few, more, "")
    told = [
        view.placeholder.value,
        groups.group_sentences(few, more, 0.3),
        answers.predict(services, more, STARTER, None),
    ]
    told.append(encoder_difference.compare_encoders(services, more, encoder_difference.TRAINED, None).pairs)
    assert all("1,000,000 characters" in one for one in told)
    with pytest.raises(DataError, match="1,000,000 characters"):
        map_source.select_sentences(map_source.TYPED, more, None, None)
    assert listening.longest == 0


def test_a_query_is_cut(services: Services, listening: Listening) -> None:
    ranking = compare_tab.compare(SimpleNamespace(encoder=listening), TEXT, QUERY).ranking
    rows = services.encoder.encode(TEXT.splitlines())
    found = search_file(SearchIndex(TEXT.splitlines(), normalize_rows(rows), listening), QUERY)
    for told in (ranking, found):
        assert told.index("A cat sleeps.") < told.index("Shares fell.")
    request = MapRequest(map_source.TYPED, TEXT, None, None, "PCA", STARTER, None, None)
    *_, view = draw(services, request)
    add_sentence(SimpleNamespace(starter=SimpleNamespace(encoder=listening)), view.drawing, QUERY)
    assert 0 < listening.longest <= MAX_QUERY_CHARACTERS
