"""Which encoder is suggested for texts that the server's own cannot read; the Hub is out of reach."""

import pytest

from mtst.analysis.token_oddities import find_unknown_tokens
from mtst.ui.services.encoder_suggestion import suggested_encoder, unread_texts
from mtst.ui.services.services import Services

CHINESE = ["这部电影很好看", "我不喜欢这个故事"]


def test_texts_that_are_read_need_no_other_encoder(services: Services) -> None:
    assert unread_texts(services, services.encoder, ["a good film"]) == ()
    assert suggested_encoder(services, ()) is None


def test_one_that_cannot_be_loaded_is_named_for_the_command_line(services: Services, monkeypatch) -> None:
    monkeypatch.setattr(services.encoder_pool, "can_load", lambda _: False)
    found = find_unknown_tokens(CHINESE, services.encoder)
    assert suggested_encoder(services, found) is None
    (advice,) = unread_texts(services, services.encoder, CHINESE, [7, 8])
    assert advice.line == 7
    assert advice.treatment is None
    assert advice.sentence.endswith(
        "train on your own machine with --encoder multilingual-e5-small, which this server cannot load."
    )


def test_one_that_it_can_load_is_named_where_it_is_chosen(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services.encoder_pool, "can_load", lambda _: True)
    found = find_unknown_tokens(CHINESE, services.encoder)
    assert suggested_encoder(services, found).value == "multilingual-e5-small"
    (advice,) = unread_texts(services, services.encoder, CHINESE)
    assert advice.sentence.endswith("train with the encoder multilingual-e5-small (Train tab, under Encoder).")
