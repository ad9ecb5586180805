import numpy as np
import pytest
import torch

from mtst.analysis import projection
from mtst.errors import RunError
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training import embedding_history
from mtst.training.config import TrainConfig, split
from mtst.training.fitting import fit


def test_every_epoch_is_kept_and_the_last_is_that_of_the_model(tiny_encoder, sample, tmp_path):
    model = MultiTaskSentenceTransformer(tiny_encoder, sample.tasks)
    config = TrainConfig("train-all", epochs=3, batch_size=8, encoder_rate=1e-3)
    held_out = split(sample, config)[1]
    before = model.encode(held_out.texts)
    finished = [*fit(model, sample, config, baselines=False, embeddings=tmp_path / "space")][-1]
    assert embedding_history.saved_epochs(tmp_path / "space") == [0, 1, 2, 3]
    assert np.allclose(embedding_history.load_embeddings(tmp_path / "space", 0), before, atol=2e-3)
    kept = embedding_history.load_embeddings(tmp_path / "space", finished.best_epoch)
    assert np.allclose(kept, model.encode(held_out.texts), atol=2e-3)


def test_an_encoder_that_stays_has_no_journey(tiny, swapped, tmp_path):
    [*fit(tiny, swapped, TrainConfig(epochs=1), baselines=False, embeddings=tmp_path / "space")]
    assert embedding_history.saved_epochs(tmp_path / "space") == []


def test_the_axes_are_the_same_for_every_epoch():
    dice = np.random.default_rng(0)
    before, after = dice.normal(size=(30, 8)), dice.normal(size=(30, 8)) + 1
    axes = projection.SharedAxes(before, after)
    halfway = axes.project((before + after) / 2).points
    assert np.allclose(halfway, (axes.project(before).points + axes.project(after).points) / 2)
    assert np.array_equal(axes.project(before).points, projection.SharedAxes(before, after).project(before).points)
    assert axes.extent == pytest.approx(max(np.abs(axes.project(rows).points).max() for rows in (before, after)))


def test_an_epoch_is_replaced_whole_and_a_missing_or_broken_one_is_explained(tmp_path):
    for value in (1.0, 2.0):
        embedding_history.save_embeddings(tmp_path, 4, torch.full((embedding_history.MAX_ROWS + 9, 3), value))
    assert embedding_history.load_embeddings(tmp_path, 4).shape == (embedding_history.MAX_ROWS, 3)
    assert (embedding_history.load_embeddings(tmp_path, 4) == 2).all()
    (tmp_path / "5.safetensors").write_bytes(b"broken")
    for epoch in (5, 6):
        with pytest.raises(RunError, match=f"epoch {epoch} are not here"):
            embedding_history.load_embeddings(tmp_path, epoch)
