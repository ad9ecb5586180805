import math

import pytest
import torch

from mtst.data import UNLABELLED, Dataset
from mtst.evaluation import LabelScores, Scores, evaluate, logits_of, mean_macro_f1, score, score_tasks
from mtst.features import LiveFeatures, features
from mtst.model import MultiTaskSentenceTransformer
from mtst.tasks import Task

MOOD, TOPIC = Task("mood", ("glad", "sad")), Task("topic", ("food", "sports", "work"))
SURE = torch.tensor([[5.0, 0, 0], [0, 5, 0], [5, 0, 0], [0, 5, 0]])


@pytest.fixture
def tiny(tiny_encoder):
    return MultiTaskSentenceTransformer(tiny_encoder, [MOOD, TOPIC])


@pytest.fixture
def data():
    texts = ("a long text about food and more food", "sports", "work and work", "nothing")
    labels = {"mood": (0, 1, UNLABELLED, 0), "topic": (UNLABELLED,) * 4}
    return Dataset(texts, (MOOD, TOPIC), labels, (2, 3, 4, 5))


def test_scores_of_a_known_case():
    found = score(SURE, [0, 1, 1, 2])
    right, wrong = math.log(1 + 2 * math.exp(-5)), math.log(math.exp(5) + 2)
    assert found.rows == 4
    assert found.loss == pytest.approx((2 * right + 2 * wrong) / 4, rel=1e-5)
    assert found.accuracy == pytest.approx(0.5)
    assert found.precision == pytest.approx((0.5 + 0.5 + 0) / 3)
    assert found.recall == pytest.approx((1 + 0.5 + 0) / 3)
    assert found.macro_f1 == pytest.approx((2 / 3 + 0.5 + 0) / 3)
    assert found.weighted_f1 == pytest.approx((2 / 3 + 2 * 0.5 + 0) / 4)


def test_each_label_has_scores_of_its_own_in_the_order_of_the_task():
    assert score(SURE, [0, 1, 1, 2]).labels == (
        LabelScores(1, 0.5, 1.0, pytest.approx(2 / 3)),
        LabelScores(2, 0.5, 0.5, 0.5),
        LabelScores(1, 0.0, 0.0, 0.0),
    )


def test_a_label_that_never_occurs_has_scores_of_nothing():
    found = score(SURE[:2], [0, 0]).labels
    assert found[1] == LabelScores(0, 0.0, 0.0, 0.0)
    assert found[2] == LabelScores(0, 0.0, 0.0, 0.0)
    assert found[0] == LabelScores(2, 1.0, 0.5, pytest.approx(2 / 3))


@pytest.mark.parametrize("labels", [2, 77, 150])
def test_the_rows_of_all_labels_are_all_rows(labels):
    truth = [n * n % labels for n in range(60)]
    found = score(torch.randn(60, labels), truth)
    assert [each.rows for each in found.labels] == [truth.count(label) for label in range(labels)]
    weighted = sum(each.rows * each.f1 for each in found.labels) / 60
    assert found.weighted_f1 == pytest.approx(weighted)


def test_a_label_that_neither_occurs_nor_is_predicted_does_not_count():
    assert score(SURE, [0, 1, 0, 1]).macro_f1 == 1


def test_rows_without_a_label_are_left_out():
    assert score(SURE, [0, UNLABELLED, 1, UNLABELLED]) == score(SURE[[0, 2]], [0, 1])


def test_no_labelled_row_has_no_scores():
    assert score(SURE, [UNLABELLED] * 4) is None
    assert score(SURE[:0], []) is None


def test_a_task_without_labels_is_absent(tiny, data):
    assert set(evaluate(tiny, data)) == {"mood"}
    assert evaluate(tiny, data)["mood"].rows == 3


def test_an_empty_dataset_has_no_scores(tiny, data):
    assert evaluate(tiny, data.take([])) == {}


def test_scores_are_those_of_the_predictions(tiny, data):
    probabilities = tiny.predict(data.texts)["mood"].probabilities
    expected = score(torch.from_numpy(probabilities).log(), data.labels["mood"])
    found = evaluate(tiny, data)["mood"]
    assert found.accuracy == expected.accuracy
    assert found.loss == pytest.approx(expected.loss, abs=1e-5)


@pytest.mark.parametrize("frozen", [True, False])
def test_logits_are_in_the_order_of_the_texts(tiny, data, frozen):
    found = logits_of(tiny, features(tiny.encoder, data.texts, frozen=frozen))
    for place, text in enumerate(data.texts):
        alone = logits_of(tiny, features(tiny.encoder, [text], frozen=frozen))
        for name in found:
            torch.testing.assert_close(found[name][place], alone[name][0], atol=0.3, rtol=0.02)
    assert score_tasks(found, data).keys() == {"mood"}


def test_judging_uses_no_dropout_and_keeps_every_mode(tiny, data):
    tiny.train()
    tiny.heads[0].eval()
    modes = [module.training for module in tiny.modules()]
    source = LiveFeatures(tiny.encoder, data.texts)
    first, again = logits_of(tiny, source), logits_of(tiny, source)
    assert torch.equal(first["mood"], again["mood"])
    assert [module.training for module in tiny.modules()] == modes


def test_the_mean_over_tasks_counts_each_task_once():
    many, few = Scores(900, 0, 0, 0, 0, 1.0, 0), Scores(1, 0, 0, 0, 0, 0.5, 0)
    assert mean_macro_f1({"a": many, "b": few}) == 0.75
    assert mean_macro_f1({}) == 0
