import math

import pytest
import torch

from mtst.data.dataset import UNLABELLED, Dataset
from mtst.data.tasks import Task
from mtst.evaluation.metrics import compute_logits, confusion_matrices, evaluate, score, score_tasks
from mtst.evaluation.scores import LabelScores, Scores, mean_macro_f1
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training.config import TrainConfig
from mtst.training.engine.features import BoundaryFeatures, PooledFeatures, UncachedFeatures, compute_embeddings
from mtst.training.events import EpochEnded
from mtst.training.fitting import fit

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


def sources(encoder, texts):
    """The same texts looked up and computed in every way."""
    ids = encoder.tokenize(texts)
    kept = BoundaryFeatures(encoder, ids, 1)
    kept.fill(range(len(texts)))
    return PooledFeatures(torch.from_numpy(encoder.encode(texts))), UncachedFeatures(encoder, ids), kept


def test_embeddings_and_logits_are_in_the_order_of_the_texts_however_they_come_about(tiny, data):
    expected = torch.from_numpy(tiny.encode(data.texts))
    for source in sources(tiny.encoder, data.texts):
        found = compute_embeddings(tiny, source)
        torch.testing.assert_close(found, expected, atol=0.02, rtol=0.02)
        logits = compute_logits(tiny, found)
        assert {name: values.shape for name, values in logits.items()} == {"mood": (4, 2), "topic": (4, 3)}
        for place, text in enumerate(data.texts):
            alone = tiny.predict([text])["mood"].probabilities[0]
            torch.testing.assert_close(logits["mood"].softmax(dim=1)[place], torch.from_numpy(alone), atol=0.1, rtol=0)
        assert score_tasks(logits, data).keys() == {"mood"}


def test_no_texts_have_embeddings_and_logits_of_no_rows(tiny):
    found = compute_embeddings(tiny, UncachedFeatures(tiny.encoder, []))
    assert found.shape == (0, 32)
    assert compute_logits(tiny, found)["topic"].shape == (0, 3)


def test_judging_uses_no_dropout_and_keeps_every_mode(tiny, data):
    tiny.train()
    tiny.heads[0].eval()
    modes = [module.training for module in tiny.modules()]
    source = UncachedFeatures(tiny.encoder, tiny.encoder.tokenize(data.texts))
    assert torch.equal(compute_embeddings(tiny, source), compute_embeddings(tiny, source))
    assert [module.training for module in tiny.modules()] == modes


def test_the_mean_over_tasks_counts_each_task_once():
    many, few = Scores(900, 0, 0, 0, 0, 1.0, 0, 0), Scores(1, 0, 0, 0, 0, 0.5, 0, 0)
    assert mean_macro_f1({"a": many, "b": few}) == 0.75
    assert mean_macro_f1({}) == 0


# --- calibration


def sure(*shares):
    """Logits of two labels, of which the first is predicted with these probabilities."""
    return torch.tensor([[share, 1 - share] for share in shares]).log()


def test_the_calibration_error_of_a_known_case():
    # bins of 1/15: 0.61 and 0.65 share one (9 to 10 fifteenths), 0.9 and 0.99 have one each
    found = score(sure(0.61, 0.65, 0.9, 0.99), [0, 1, 0, 1])
    assert found.calibration_error == pytest.approx((abs(0.61 + 0.65 - 1) + abs(0.9 - 1) + abs(0.99 - 0)) / 4)


def test_who_is_always_right_and_always_sure_is_calibrated():
    assert score(torch.tensor([[99.0, 0.0], [0.0, 99.0]]), [0, 1]).calibration_error == 0
    assert score(torch.tensor([[99.0, 0.0], [0.0, 99.0]]), [1, 0]).calibration_error == 1


def test_confidence_that_comes_true_is_calibrated():
    assert score(sure(*[0.75] * 4), [0, 0, 0, 1]).calibration_error == pytest.approx(0, abs=1e-6)
    assert score(torch.zeros(2, 2), [0, 1]).calibration_error == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("labels", [2, 5, 40])
def test_the_calibration_error_is_the_mean_over_bins_by_their_rows(labels):
    logits, truth = 3 * torch.randn(300, labels), torch.randint(labels, (300,))
    confidence, predicted = logits.softmax(dim=1).max(dim=1)
    expected = 0.0
    for k in range(15):
        inside = (confidence >= k / 15) & ((confidence < (k + 1) / 15) | (k == 14))
        if inside.any():
            right = (predicted == truth)[inside].float().mean()
            expected += inside.sum().item() / 300 * abs(confidence[inside].mean() - right).item()
    assert score(logits, truth).calibration_error == pytest.approx(expected, abs=1e-5)


# --- confusion


def test_a_confusion_matrix_has_a_row_a_label_and_a_column_a_prediction(data):
    logits = {"mood": torch.tensor([[1.0, 0], [1, 0], [0, 1], [0, 1]]), "topic": torch.zeros(4, 3)}
    assert confusion_matrices(logits, data) == {"mood": ((1, 1), (1, 0)), "topic": ()}


def test_labels_that_never_occur_have_rows_and_columns_too():
    rows = Dataset(("a", "b"), (TOPIC,), {"topic": (0, 2)}, (1, 2))
    found = confusion_matrices({"topic": torch.tensor([[1.0, 0, 0], [1, 0, 0]])}, rows)
    assert found == {"topic": ((1, 0, 0), (0, 0, 0), (1, 0, 0))}


def test_a_run_ends_with_the_confusion_of_its_best_epoch(tiny, swapped):
    model = MultiTaskSentenceTransformer(tiny.encoder, swapped.tasks)
    events = list(fit(model, swapped, TrainConfig(epochs=4, batch_size=4, head_rate=0.3, validation_share=0.4)))
    best = next(e for e in events if isinstance(e, EpochEnded) and e.epoch == events[-1].best_epoch).validation
    for name, matrix in events[-1].confusion.items():
        assert sum(map(sum, matrix)) == best[name].rows
        assert sum(matrix[n][n] for n in range(2)) == pytest.approx(best[name].accuracy * best[name].rows)
        assert [sum(row) for row in matrix] == [each.rows for each in best[name].labels]


# --- drift


@pytest.mark.parametrize("scenario", ["freeze-all", "freeze-encoder", "top-k", "train-all"])
def test_embeddings_drift_only_if_the_encoder_is_trained(tiny, swapped, scenario):
    model = MultiTaskSentenceTransformer(tiny.encoder, swapped.tasks)
    config = TrainConfig(scenario, epochs=2, batch_size=4, encoder_rate=1e-2, top_blocks=1)
    drifts = [event.drift for event in fit(model, swapped, config) if isinstance(event, EpochEnded)]
    assert drifts[0] == 0
    if scenario in ("freeze-all", "freeze-encoder"):
        assert set(drifts) == {0.0}
    else:
        assert all(0 < drift <= 2 for drift in drifts[1:])
