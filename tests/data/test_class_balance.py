import random
from collections import Counter

import pytest

from mtst.data.class_balance import balanced_sample, class_weights
from mtst.data.dataset import UNLABELLED, Dataset
from mtst.data.tasks import Task


def data(mood, topic=()):
    """A dataset of two tasks with three and two labels."""
    topic = tuple(topic) or (UNLABELLED,) * len(mood)
    tasks = (Task("mood", ("a", "b", "c")), Task("topic", ("x", "y")))
    texts = tuple(f"text {n}" for n in range(len(mood)))
    return Dataset(texts, tasks, {"mood": tuple(mood), "topic": topic}, tuple(range(2, len(mood) + 2)))


def draw(seed):
    return random.Random(seed)  # noqa: S311 (an order, not a secret)


def test_the_rows_of_every_label_weigh_alike_together():
    rows = data([0] * 6 + [1] * 3 + [2], [0] * 4 + [UNLABELLED] * 6)
    weights = class_weights(rows)
    assert weights["mood"] == pytest.approx([10 / 18, 10 / 9, 10 / 3])
    for task in rows.tasks[:1]:
        shares = [weight * count for weight, count in zip(weights[task.name], rows.counts(task).values(), strict=True)]
        assert shares == pytest.approx([10 / 3] * 3)


def test_a_label_without_a_row_weighs_one_and_does_not_change_the_others():
    assert class_weights(data([0, 0, 1], [0] * 3)) == {"mood": pytest.approx([0.75, 1.5, 1.0]), "topic": [1.0, 1.0]}
    assert class_weights(data([UNLABELLED] * 3)) == {"mood": [1.0] * 3, "topic": [1.0, 1.0]}


def test_equal_labels_weigh_one():
    assert class_weights(data([0, 1, 2] * 3, [0, 1, 0] * 3))["mood"] == [1.0] * 3


def test_rare_labels_are_drawn_as_often_as_the_others():
    rows = data([0] * 900 + [1] * 90 + [2] * 10)
    drawn = balanced_sample(rows, draw(0))
    assert len(drawn) == 1000
    assert set(drawn) <= set(range(1000))
    counts = Counter(rows.labels["mood"][row] for row in drawn)
    assert all(250 < counts[label] < 420 for label in range(3))


def test_a_row_with_labels_of_two_tasks_is_drawn_for_both():
    rows = data([0] * 90 + [1] * 10, [0] * 99 + [1])
    counts = Counter(balanced_sample(rows, draw(1)))
    assert counts[99] > counts[98] > 0


def test_a_seed_repeats_the_draw():
    rows = data([0, 1, 1, 2] * 9)
    assert balanced_sample(rows, draw(3)) == balanced_sample(rows, draw(3)) != balanced_sample(rows, draw(4))


@pytest.mark.parametrize("mood", [[0], [0, 0], [0, 1], [2, UNLABELLED]])
def test_the_smallest_sets_are_drawn_from(mood):
    assert len(balanced_sample(data(mood), draw(0))) == len(mood)
