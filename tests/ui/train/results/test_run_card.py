from dataclasses import replace

import pytest

from mtst.errors import RunError
from mtst.runs.job import Job
from mtst.training.config import TrainConfig
from mtst.training.events import GroupPlan, GroupProof
from mtst.ui.components.share_card import draw
from mtst.ui.train.results.run_card import run_card, share_run
from tests.support.fake_history import BASELINES, BEFORE, FIRST, finished, history_of, started

JOB = Job("sentence-transformers/all-MiniLM-L6-v2", TrainConfig(), source="secret.csv")
GROUPS = (
    GroupPlan("block-0", "Block 0", 100, None, 0.0, None),
    GroupPlan("block-1", "Block 1", 100, 2, 1e-4, None),
    GroupPlan("head:a", "a head", 10, 1, 0.1, "a"),
)
PROOF = (
    GroupProof("block-0", "Block 0", 100, None, 0.0, 0.0, True),
    GroupProof("block-1", "Block 1", 100, (2, 2), 1e-4, 0.012, False),
    GroupProof("head:a", "a head", 10, (1, 2), 0.1, 0.5, False),
)


def test_the_card_says_what_the_result_card_says():
    second = replace(FIRST, epoch=2, step=4)
    card = run_card(history_of(started(2, GROUPS), BASELINES, BEFORE, FIRST, second, finished(2, proof=PROOF)), JOB)
    assert card.title.startswith("No clear gain")
    assert card.about == "Heads only · 12 rows, 2 labels"
    assert card.big == [("75.0%", "")]
    assert card.measure == "macro-F1 on 4 held-out rows"
    assert [(each.title, each.score) for each in card.scores] == [("This run", 0.75), ("logistic regression", 0.625)]
    assert [(layer.title, layer.opens, layer.words) for layer in card.layers] == [
        ("a head", 0.0, "50%"),
        ("Block 1", 0.5, "1.2%"),
        ("Block 0", 1.0, "frozen"),
    ]
    assert card.encoder == "all-MiniLM-L6-v2"
    assert "secret" not in draw(card)


def test_what_never_opened_since_the_run_was_stopped_is_frozen():
    card = run_card(history_of(started(2, GROUPS), BASELINES, BEFORE, FIRST, finished(1, stopped=True)), JOB)
    assert [layer.words for layer in card.layers] == ["50%", "frozen", "frozen"]
    assert card.epochs == 1


def test_a_run_that_has_no_result_has_no_card(services):
    with pytest.raises(RunError):
        run_card(history_of(started()), JOB)
    with pytest.raises(RunError, match="before its model was measured"):
        run_card(history_of(started(), finished(0, stopped=True)), JOB)
    assert share_run(services, "x" * 32)["visible"] is False
    assert share_run(services, None)["visible"] is False
