from dataclasses import replace

import pytest
import torch

from mtst.assets import load_sts_pairs
from mtst.evaluation.semantic_similarity import EmbeddingQuality, measure_embeddings
from mtst.training.config import TrainConfig
from mtst.training.fitting import fit
from mtst.ui.train.results.summary import summarize
from tests.support.fake_history import BEFORE, BETTER, ended, finished, history_of, started


def test_the_pairs_are_distinct_and_graded():
    first, second, grades = load_sts_pairs()
    assert len(first) == len(second) == len(grades) >= 60
    assert len({*first, *second}) == 2 * len(first)
    assert set(grades) == {0, 2, 3, 4, 5}


def test_the_encoder_knows_general_similarity_and_leaves_room(encoder):
    found = measure_embeddings(encoder)
    assert found.general > 0.85
    assert found.crowding < 0.15


def test_a_collapsed_embedding_space_is_detected(fresh_encoder):
    with torch.no_grad():
        *_, last = (value for name, value in fresh_encoder.backbone.named_parameters() if "LayerNorm.bias" in name)
        last.add_(10)
    assert measure_embeddings(fresh_encoder).crowding > 0.9


def test_a_run_that_opens_the_encoder_measures_it_before_and_after(swapped_model, swapped):
    *_, last = fit(swapped_model, swapped, TrainConfig("top-k", epochs=2, batch_size=4), baselines=False)
    before, after = last.space
    assert before != after
    assert after == measure_embeddings(swapped_model.encoder)


def test_a_run_with_a_frozen_encoder_has_nothing_to_measure(tiny, swapped):
    *_, last = fit(tiny, swapped, TrainConfig("freeze-encoder", epochs=1), baselines=False)
    assert last.space is None


@pytest.mark.parametrize(
    ("after", "damaged", "collapsed"),
    [
        (EmbeddingQuality(0.9, 0.1), False, False),
        (EmbeddingQuality(0.7, 0.1), True, False),
        (EmbeddingQuality(0.6, 0.8), True, True),
    ],
)
def test_the_story_warns_of_damage_and_of_collapse(after, damaged, collapsed):
    done = replace(finished(), space=(EmbeddingQuality(0.91, 0.06), after))
    history = history_of(started(), BEFORE, ended(1, 2, BETTER, 2.0), done)
    shown = summarize(history)
    assert f"0.91 before and {after.general:.2f} after" in shown
    assert ("damaged general similarity" in shown) == damaged
    assert ("has collapsed" in shown) == collapsed
