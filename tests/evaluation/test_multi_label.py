import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, f1_score, log_loss, precision_score, recall_score

from mtst.data.dataset import UNLABELLED, Dataset
from mtst.data.labels.sets import to_masks
from mtst.data.tasks import Task
from mtst.evaluation.baselines import logistic, majority
from mtst.evaluation.multi_label import best_threshold, choose_thresholds, score_multi_label

TASK = Task("tags", ("a", "b", "c", "d", "e"), multi=True, threshold=0.4)


@pytest.fixture
def drawn():
    """Labels of 200 rows, of which "e" is on none, and logits that know something of them."""
    rng = np.random.default_rng(0)
    truth = rng.random((200, 5)) < [0.5, 0.3, 0.1, 0.2, 0.0]
    logits = torch.from_numpy(3 * truth - 2 + rng.normal(size=truth.shape)).float()
    return truth, logits


def test_scores_are_those_of_scikit_learn(drawn):
    truth, logits = drawn
    scores = score_multi_label(TASK, logits, to_masks(truth))
    probability = logits.sigmoid().numpy()
    predicted = probability >= 0.4
    assert predicted[:, 4].any()  # a label that is predicted and never true counts in the means
    assert scores.macro_f1 == pytest.approx(f1_score(truth, predicted, average="macro", zero_division=0))
    assert scores.micro_f1 == pytest.approx(f1_score(truth, predicted, average="micro"))
    assert scores.samples_f1 == pytest.approx(f1_score(truth, predicted, average="samples", zero_division=1))
    assert scores.weighted_f1 == pytest.approx(f1_score(truth, predicted, average="weighted", zero_division=0))
    assert scores.precision == pytest.approx(precision_score(truth, predicted, average="macro", zero_division=0))
    assert scores.recall == pytest.approx(recall_score(truth, predicted, average="macro", zero_division=0))
    assert scores.accuracy == pytest.approx((truth == predicted).all(axis=1).mean())
    expected = average_precision_score(truth[:, :4], probability[:, :4], average="macro")
    assert scores.mean_average_precision == pytest.approx(expected, abs=1e-6)
    losses = [log_loss(truth[:, k], probability[:, k].astype(float), labels=[False, True]) for k in range(5)]
    assert scores.loss == pytest.approx(sum(losses), rel=1e-5)
    assert [each.rows for each in scores.labels] == truth.sum(axis=0).tolist()


def test_rows_that_are_not_labelled_do_not_count(drawn):
    truth, logits = drawn
    masks = [*to_masks(truth[:100]), *[UNLABELLED] * 100]
    assert score_multi_label(TASK, logits, masks) == score_multi_label(TASK, logits[:100], masks[:100])
    assert score_multi_label(TASK, logits, [UNLABELLED] * 200) is None


def test_probabilities_that_are_frequencies_have_no_calibration_error():
    rng = np.random.default_rng(1)
    probability = rng.random((4000, 5))
    truth = rng.random((4000, 5)) < probability
    scores = score_multi_label(TASK, torch.from_numpy(probability).logit(), to_masks(truth))
    assert scores.calibration_error < 0.02
    sure = score_multi_label(TASK, torch.full((4000, 5), 9.0), to_masks(truth))
    assert sure.calibration_error == pytest.approx(0.5, abs=0.02)


def test_the_threshold_is_near_the_one_with_the_highest_macro_f1(drawn):
    truth, logits = drawn
    probability = logits.sigmoid().numpy()

    def macro_f1(threshold):
        return f1_score(truth[:, :4], probability[:, :4] >= threshold, average="macro")

    chosen = best_threshold(TASK, logits, to_masks(truth))
    assert macro_f1(chosen) > max(map(macro_f1, np.linspace(0.01, 0.99, 99))) - 0.02


def test_probabilities_near_1_still_have_a_threshold(drawn):
    truth, logits = drawn
    chosen = best_threshold(TASK, logits + 9, to_masks(truth))
    scores = score_multi_label(Task("tags", TASK.labels, multi=True, threshold=chosen), logits + 9, to_masks(truth))
    assert scores.macro_f1 > score_multi_label(TASK, logits + 9, to_masks(truth)).macro_f1 + 0.2


def test_a_task_without_labelled_rows_keeps_its_threshold(drawn):
    _, logits = drawn
    data = Dataset(("a",) * 200, (TASK,), {"tags": (UNLABELLED,) * 200}, tuple(range(200)))
    (task,) = choose_thresholds((TASK,), {"tags": logits}, data)
    assert task.threshold == 0.4


def test_the_majority_baseline_predicts_the_most_frequent_label_alone():
    data = Dataset(("a",) * 4, (TASK,), {"tags": (0b1, 0b11, 0b1, 0b100)}, (1, 2, 3, 4))
    scores = majority(data, data)["tags"]
    assert [each.recall for each in scores.labels] == [1, 0, 0, 0, 0]
    assert scores.macro_f1 == pytest.approx(2 * 0.75 / 1.75 / 3)


def test_the_regression_is_one_against_the_rest_for_each_label(drawn):
    truth, logits = drawn
    data = Dataset(("a",) * 200, (TASK,), {"tags": to_masks(truth)}, tuple(range(200)))
    learnt, held_out = data.take(range(150)), data.take(range(150, 200))
    scores = logistic(learnt, logits[:150].numpy(), held_out, logits[150:].numpy())["tags"]
    assert scores.macro_f1 > 0.6
    assert scores.labels[4].rows == 0
