import pytest

from mtst.errors import RunError
from mtst.runs.job import Job
from mtst.training.config import TrainConfig
from mtst.ui.scenarios.comparison_card import comparison_card, share_comparison
from tests.support.fake_comparison import comparison_of

CHEAP, DEAR = "freeze-encoder", "train-all"


def job(services) -> Job:
    return Job(services.settings.encoder, TrainConfig(), source="secret.csv", kind="compare", scenarios=(CHEAP, DEAR))


def test_the_card_says_what_to_take_and_by_how_much(services):
    card = comparison_card(services, job(services), comparison_of({CHEAP: ([0.7], 2.0), DEAR: ([0.95], 9.0)}))
    assert card.title == "Take “Train everything”."
    assert card.about == "2 labels · 400 test rows"
    assert card.big[0][0].startswith("+2")
    assert card.measure == "macro-F1 over Heads only"
    assert [(each.title, bool(each.colour)) for each in card.scores] == [
        ("Train everything", True),
        ("Heads only", False),
    ]
    assert all(0 <= each.low <= each.score <= each.high <= 1 for each in card.scores)
    assert all(layer.opens < 1 for layer in card.layers)


def test_heads_only_is_told_by_its_score(services):
    card = comparison_card(services, job(services), comparison_of({CHEAP: ([0.95], 2.0), DEAR: ([0.7], 9.0)}))
    assert card.big[0][0].endswith("%")
    assert card.measure == "macro-F1 of Heads only"
    assert [layer.words for layer in card.layers].count("frozen") == len(card.layers) - 1


def test_without_a_recommendation_there_is_no_card(services):
    with pytest.raises(RunError, match="No scenario is recommended yet"):
        comparison_card(services, job(services), comparison_of({CHEAP: ([0.7], 2.0)}))
    assert share_comparison(services, "x" * 32)["visible"] is False
