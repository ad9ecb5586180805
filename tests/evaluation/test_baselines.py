import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, log_loss

from mtst.data.dataset import UNLABELLED, Dataset
from mtst.data.tasks import Task
from mtst.evaluation.baselines import C, logistic, majority
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training.config import TrainConfig, split
from mtst.training.events import Baselines, EpochEnded, Finished, Started
from mtst.training.fitting import fit
from tests.support.stopping import Stop

MOOD, TOPIC = Task("mood", ("glad", "sad", "calm")), Task("topic", ("x", "y"))


def dataset(mood, topic=None):
    labels = {"mood": tuple(mood), "topic": tuple(topic or [UNLABELLED] * len(mood))}
    return Dataset(tuple(f"text {n}" for n in range(len(mood))), (MOOD, TOPIC), labels, tuple(range(len(mood))))


def clouds(labels, spread=1.0):
    """Rows (n, 8) around a centre for each label."""
    draw = np.random.default_rng(0)
    return (draw.normal(size=(3, 8))[list(labels)] + spread * draw.normal(size=(len(labels), 8))).astype(np.float32)


# --- the most frequent label


def test_the_majority_is_right_as_often_as_its_label_occurs_and_as_sure():
    found = majority(dataset([0] * 6 + [1] * 3 + [2]), dataset([0, 0, 1, 2]))["mood"]
    assert found.accuracy == 0.5
    assert found.loss == pytest.approx(-(2 * math.log(0.6) + math.log(0.3) + math.log(0.1)) / 4)
    assert found.macro_f1 == pytest.approx(f1_score([0, 0, 1, 2], [0] * 4, average="macro"))


def test_on_the_rows_it_was_counted_on_its_loss_is_their_entropy():
    rows = dataset([0] * 6 + [1] * 3 + [2] + [UNLABELLED] * 5)
    entropy = -sum(share * math.log(share) for share in (0.6, 0.3, 0.1))
    assert majority(rows, rows)["mood"].loss == pytest.approx(entropy)
    assert majority(rows, rows)["mood"].rows == 10


def test_a_label_that_training_never_saw_costs_much_but_not_everything():
    found = majority(dataset([0, 0, 1, 1]), dataset([2, 0]))["mood"]
    assert math.isfinite(found.loss)
    assert found.loss > 10


def test_a_task_without_a_row_to_check_with_is_absent():
    assert set(majority(dataset([0, 1], [0, 1]), dataset([0, 1]))) == {"mood"}
    assert set(majority(dataset([UNLABELLED] * 2, [0, 1]), dataset([0, 1], [0, 1]))) == {"mood", "topic"}


# --- logistic regression


def test_the_regression_is_that_of_scikit_learn():
    train, held_out = [0, 1, 2] * 20, [0, 1, 2] * 5
    rows, others = clouds(train), clouds(held_out)
    found = logistic(dataset(train), rows, dataset(held_out), others)["mood"]
    expected = LogisticRegression(C=C, max_iter=1000).fit(rows, train)
    assert found.loss == pytest.approx(log_loss(held_out, expected.predict_proba(others)), rel=1e-4)
    assert found.accuracy == pytest.approx(expected.score(others, held_out))
    assert found.macro_f1 == pytest.approx(f1_score(held_out, expected.predict(others), average="macro"))


def test_rows_without_a_label_do_not_count():
    labels = [0, 1, 2] * 10
    rows = clouds(labels)
    more = np.concatenate([rows, 100 * np.ones((7, 8), dtype=np.float32)])
    some = logistic(dataset(labels), rows, dataset(labels), rows)
    assert logistic(dataset(labels + [UNLABELLED] * 7), more, dataset(labels), rows) == some


def test_a_label_that_was_not_seen_is_never_predicted_and_shifts_no_other():
    train = [0, 2] * 10
    held_out = [0, 2, 1]
    found = logistic(dataset(train), clouds(train, 0.1), dataset(held_out), clouds(held_out, 0.1))["mood"]
    assert found.accuracy == pytest.approx(2 / 3)
    assert math.isfinite(found.loss)
    assert [each.recall for each in found.labels] == [1, 0, 1]


@pytest.mark.parametrize("topic", [[0] * 6, [UNLABELLED] * 6, [UNLABELLED] * 5 + [1]])
def test_a_task_with_fewer_than_two_labels_to_learn_from_is_absent(topic):
    mood = [0, 1] * 3
    rows = dataset(mood, topic)
    assert set(logistic(rows, clouds(mood), dataset(mood, [0, 1] * 3), clouds(mood))) == {"mood"}


# --- in a run


def test_a_run_tells_the_baselines_of_its_own_split_before_it_trains(tiny, swapped):
    config = TrainConfig(epochs=1, validation_share=0.4)
    train, held_out = split(swapped, config)
    rows, others = tiny.encode(train.texts), tiny.encode(held_out.texts)
    events = list(fit(tiny, swapped, config))
    (found,) = [event for event in events if isinstance(event, Baselines)]
    assert [event.kind for event in events if event.kind != "embedded"][:3] == ["started", "baselines", "epoch"]
    assert found.majority == majority(train, held_out)
    expected = logistic(train, rows, held_out, others)
    assert set(found.logistic) == set(expected) == {"topic", "place"}
    for name, scores in found.logistic.items():
        assert scores.loss == pytest.approx(expected[name].loss, rel=1e-3)
        assert scores.accuracy == expected[name].accuracy


def test_baselines_can_be_left_out(tiny, swapped):
    events = list(fit(tiny, swapped, TrainConfig(epochs=1), baselines=False))
    assert not any(isinstance(event, Baselines) for event in events)


@pytest.mark.parametrize("scenario", ["train-all", "top-k", "freeze-all"])
def test_measuring_them_changes_nothing_of_the_run(tiny_folder, swapped, scenario):
    from mtst.encoders.loading import load_encoder

    runs = []
    for baselines in (True, False):
        model = MultiTaskSentenceTransformer(load_encoder(str(tiny_folder())), swapped.tasks)
        events = fit(model, swapped, TrainConfig(scenario, epochs=2, batch_size=4, top_blocks=1), baselines=baselines)
        runs.append([(e.epoch, e.train, e.validation, e.drift) for e in events if isinstance(e, EpochEnded)])
    assert runs[0] == runs[1]


def test_a_stop_while_they_are_measured_is_heard(tiny, swapped):
    started, embedded, finished = fit(tiny, swapped, TrainConfig("train-all"), should_stop=Stop(after=2))
    assert isinstance(started, Started)
    assert embedded.kind == "embedded"
    assert isinstance(finished, Finished)
    assert finished.stopped
    assert torch.isfinite(tiny.heads[0].weight).all()
