import numpy as np
import pytest
from sklearn.metrics import f1_score

from mtst.evaluation.f1 import f1_scores, macro_f1


@pytest.fixture
def rows():
    """True and predicted labels (rows, labels), of which the last occurs in neither."""
    truth, predicted = np.random.default_rng(0).random((2, 40, 5)) < 0.3
    truth[:, -1] = predicted[:, -1] = False
    return truth, predicted


def test_the_f1_of_counts_is_that_of_scikit_learn(rows):
    truth, predicted = rows
    common, total = (truth & predicted).sum(axis=0), truth.sum(axis=0) + predicted.sum(axis=0)
    wanted = f1_score(truth, predicted, average=None, zero_division=0)
    assert f1_scores(common, total) == pytest.approx(wanted)
    assert float(f1_scores(common.sum(), total.sum())) == pytest.approx(f1_score(truth, predicted, average="micro"))


def test_the_mean_leaves_out_labels_that_neither_occur_nor_are_predicted(rows):
    truth, predicted = rows
    common, total = (truth & predicted).sum(axis=0), truth.sum(axis=0) + predicted.sum(axis=0)
    assert float(macro_f1(common, total)) == pytest.approx(f1_scores(common, total)[:-1].mean())
    assert macro_f1(np.zeros((2, 3)), np.zeros((2, 3))).tolist() == [0, 0]
