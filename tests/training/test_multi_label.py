"""Multi-label tasks from rows to a model that is saved, beside a single-label task."""

import numpy as np
import pytest
import torch

from mtst.comparison.events import AttemptEnded
from mtst.comparison.recommendation import recommend
from mtst.comparison.results import Comparison
from mtst.comparison.rows import plan_comparison
from mtst.comparison.runner import compare_scenarios
from mtst.data.dataset import UNLABELLED, Dataset
from mtst.data.labels.sets import to_mask
from mtst.data.tasks import Task
from mtst.evaluation.metrics import evaluate
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training.config import TrainConfig, split
from mtst.training.engine.losses import pair_loss
from mtst.training.events import EpochEnded, Finished
from mtst.training.fitting import fit
from mtst.training.scenarios import list_scenarios
from tests.conftest import FOOD, SPORTS

TAGS, LENGTH = Task("tags", ("cooking", "games"), multi=True), Task("length", ("long", "short"))


@pytest.fixture(scope="module")
def rows():
    """48 rows: a sentence about food, one about sports, or both; one row in eight is not labelled with tags."""
    texts = [*FOOD, *SPORTS, *(f"{a} {b}" for a, b in zip(FOOD * 4, SPORTS * 3 + SPORTS[::-1], strict=True))]
    masks = [to_mask([0])] * 8 + [to_mask([1])] * 8 + [to_mask([0, 1])] * 32
    tags = tuple(UNLABELLED if row % 8 == 7 else mask for row, mask in enumerate(masks))
    length = tuple(int(len(text) < 60) for text in texts)
    return Dataset(tuple(texts), (TAGS, LENGTH), {"tags": tags, "length": length}, tuple(range(len(texts))))


def train(model, data, **settings):
    return [*fit(model, data, TrainConfig(**settings))][-1]


def test_a_trained_model_knows_several_labels_and_none(encoder, rows, tmp_path):
    model = MultiTaskSentenceTransformer(encoder, rows.tasks)
    finished = train(model, rows)
    assert isinstance(finished, Finished)
    tags = model.predict(
        ["Bake the bread, then add butter.", "The goalkeeper saved the match.", f"{FOOD[1]} {SPORTS[2]}"]
    )
    assert tags["tags"].label_sets == [("cooking",), ("games",), ("cooking", "games")]
    assert tags["tags"].labels[2] == "cooking; games"
    assert finished.thresholds == {"tags": model.tasks[0].threshold}
    assert finished.confusion["tags"] == ()

    model.save(tmp_path / "model")
    loaded = MultiTaskSentenceTransformer.load(tmp_path / "model")
    assert [(task.multi, task.threshold) for task in loaded.tasks] == [
        (task.multi, task.threshold) for task in model.tasks
    ]
    probabilities = [one.predict(rows.texts)["tags"].probabilities for one in (loaded, model)]
    assert probabilities[0] == pytest.approx(probabilities[1], abs=1e-5)  # batches differ, and so does rounding
    again = loaded.with_tasks(rows.tasks)
    assert again.tasks[0].threshold == model.tasks[0].threshold


def test_the_threshold_is_the_one_that_the_kept_epoch_was_scored_with(encoder, rows):
    model = MultiTaskSentenceTransformer(encoder, rows.tasks)
    *events, finished = fit(model, rows, TrainConfig())
    _, validation = split(rows, TrainConfig())
    epochs = {event.epoch: event for event in events if isinstance(event, EpochEnded)}
    kept = epochs[finished.best_epoch]
    assert evaluate(model, validation)["tags"].macro_f1 == pytest.approx(kept.validation["tags"].macro_f1)


@pytest.mark.parametrize("scenario", [key for key in list_scenarios((TAGS, LENGTH)) if key != "custom"])
def test_every_scenario_trains_multi_label_heads(tiny_encoder, rows, scenario):
    model = MultiTaskSentenceTransformer(tiny_encoder, rows.tasks)
    finished = train(model, rows, scenario=scenario, epochs=4)
    assert set(evaluate(model, rows)) == {"tags", "length"}
    assert all(group.same for group in finished.proof if group.open_epochs is None)


@pytest.mark.parametrize(
    "settings", [{"balance": "class-weights"}, {"balance": "balanced-sampling"}, {"label_smoothing": 0.1}]
)
def test_settings_of_the_loss_apply_to_several_labels_too(tiny_encoder, rows, settings):
    plain, other = (MultiTaskSentenceTransformer(tiny_encoder, rows.tasks) for _ in range(2))
    train(plain, rows, epochs=2)
    train(other, rows, epochs=2, **settings)
    weights = [torch.cat([head.weight.flatten() for head in model.heads]) for model in (plain, other)]
    assert weights[1].isfinite().all()
    assert not torch.equal(*weights)


def test_pairs_that_share_a_part_of_their_labels_move_a_part_of_the_way():
    target = torch.tensor([[1.0, 0.0], [1.0, 1.0], [-1.0, -1.0]])
    half = torch.tensor([[1.0, 0.0], [0.5, 3**0.5 / 2], [9.0, 9.0]])  # the first two have a cosine of one half
    assert pair_loss(half, target).item() == pytest.approx(0, abs=1e-6)
    same = torch.tensor([[1.0, 0.0], [1.0, 0.0], [9.0, 9.0]])
    assert pair_loss(same, target).item() == pytest.approx(0.25)


def test_scenarios_are_compared_on_several_labels(tiny_encoder, rows):
    config = TrainConfig(epochs=2)
    attempts = plan_comparison(rows, config, ("freeze-encoder", "top-k"), 1)
    comparison = Comparison()
    comparison.extend(compare_scenarios(tiny_encoder, rows, config, attempts))
    advice = recommend(comparison)
    assert advice is not None
    assert {row.scenario for row in advice.rows} == {"freeze-encoder", "top-k"}
    ended = [event for event in comparison.ended if isinstance(event, AttemptEnded)]
    assert all(0 <= value <= 0b11 for event in ended for value in event.predicted["tags"])
    assert np.isfinite([advice.chosen.score, comparison.started.logistic["tags"].macro_f1]).all()
