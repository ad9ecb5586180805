"""Encoders with real weights, beside plain sentence-transformers; `tests.support.real_weights` fetches some."""

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr
from sentence_transformers import SentenceTransformer

from mtst.assets import load_sts_pairs
from mtst.encoders.loading import load_encoder
from mtst.model.loading import load_model
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training.config import TrainConfig
from mtst.training.events import EpochEnded
from mtst.training.fitting import fit

FOLDER = os.environ.get("MTST_REAL_WEIGHTS", "")
FOLDERS = sorted(path.parent for path in Path(FOLDER).glob("*/modules.json")) if FOLDER else []
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FOLDERS, reason="set MTST_REAL_WEIGHTS to the folder of tests.support.real_weights"),
]


@pytest.fixture(scope="module", params=FOLDERS, ids=lambda folder: folder.name)
def folder(request):
    return str(request.param)


def test_vectors_are_those_of_sentence_transformers_and_know_what_is_similar(folder):
    first, second, grades = load_sts_pairs()
    plain, own = SentenceTransformer(folder), load_encoder(folder, fp32=True)
    texts = [*first, *second, "", "a word " * 1_000]
    vectors = own.encode(texts)
    np.testing.assert_allclose(vectors, plain.encode(texts), atol=1e-6)
    pairs = np.stack([vectors[: len(first)], vectors[len(first) : 2 * len(first)]])
    cosines = np.prod(pairs, axis=0).sum(axis=1) / np.prod(np.linalg.norm(pairs, axis=2), axis=0)
    assert spearmanr(cosines, grades).statistic > 0.8


@pytest.mark.timeout(3_600)  # training a hundred million parameters on two cores
@pytest.mark.parametrize("scenario", ["freeze-encoder", "top-k"])
def test_a_model_is_trained_saved_and_loaded(folder, sample, tmp_path, scenario):
    model = MultiTaskSentenceTransformer(load_encoder(folder, fp32=True), sample.tasks)
    config = TrainConfig(scenario, epochs=5 if scenario == "freeze-encoder" else 2)
    epochs = [event for event in fit(model, sample, config, baselines=False) if isinstance(event, EpochEnded)]
    assert sum(score.loss for score in epochs[-1].validation.values()) < sum(
        score.loss for score in epochs[0].validation.values()
    )
    model.save(tmp_path / "model")
    expected = model.encode(sample.texts)
    np.testing.assert_allclose(load_model(str(tmp_path / "model"), fp32=True).encode(sample.texts), expected, atol=1e-6)
    np.testing.assert_allclose(SentenceTransformer(str(tmp_path / "model")).encode(sample.texts), expected, atol=1e-6)
