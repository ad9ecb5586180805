import numpy as np
import pytest

from mtst.data.dataset import UNLABELLED
from mtst.data.labels.sets import NO_LABELS, describe_labels, is_labelled, label_indices, multi_hot, to_mask, to_masks
from mtst.data.tasks import Task

SINGLE, MULTI = Task("mood", ("glad", "sad")), Task("tags", ("a", "b", "c"), multi=True)


@pytest.mark.parametrize("labels", [1, 3, 8, 9, 64, 65, 150])
def test_masks_are_the_rows_of_a_matrix_however_many_labels_there_are(labels):
    matrix = np.random.default_rng(labels).random((20, labels)) < 0.3
    masks = to_masks(matrix)
    assert masks == tuple(to_mask(np.flatnonzero(row).tolist()) for row in matrix)
    assert (multi_hot(masks, labels) == matrix).all()


def test_a_row_that_is_not_labelled_has_no_label_and_is_not_a_row_without_labels():
    values = (UNLABELLED, 0, 0b101)
    assert is_labelled(values).tolist() == [False, True, True]
    assert multi_hot(values, 3).tolist() == [[False] * 3, [False] * 3, [True, False, True]]
    assert [label_indices(MULTI, value) for value in values] == [(), (), (0, 2)]
    assert [describe_labels(MULTI, value) for value in values] == ["–", NO_LABELS, "a; c"]


def test_a_single_label_is_its_index():
    assert [label_indices(SINGLE, value) for value in (0, 1, UNLABELLED)] == [(0,), (1,), ()]
    assert describe_labels(SINGLE, 1) == "sad"
