import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtst.data.dataset import UNLABELLED, Dataset
from mtst.data.split import check_trainable, stratified_split, text_key
from mtst.data.tasks import Task
from mtst.errors import DataError

CONFIGS = pytest.mark.parametrize("share", [0.001, 0.15, 0.5, 0.9, 0.999])


def labelled(rows, **more):
    """A dataset of (text, label index) rows for one task, with further tasks by their label indices."""
    texts, labels = zip(*rows, strict=True)
    columns = {"mood": tuple(labels)} | {name: tuple(values) for name, values in more.items()}
    tasks = tuple(
        Task(name, tuple(f"{name} {n}" for n in range(max(*values, 0) + 1))) for name, values in columns.items()
    )
    return Dataset(texts, tasks, columns, tuple(range(2, len(rows) + 2)))


def distinct(labels, **more):
    return labelled([(f"text {n}", label) for n, label in enumerate(labels)], **more)


def counts(data, name="mood"):
    return Counter(data.labels[name])


# --- both sides


def test_no_text_is_on_both_sides_and_no_row_is_lost():
    data = labelled([(f"Text  {n % 30}" if n % 2 else f" text {n % 30} ", n % 2) for n in range(90)])
    train, held_out = stratified_split(data)
    sides = [{text_key(text) for text in side.texts} for side in (train, held_out)]
    assert not sides[0] & sides[1]
    assert sorted(train.lines + held_out.lines) == sorted(data.lines)
    assert train.lines == tuple(sorted(train.lines))


@pytest.mark.parametrize(("rows", "sizes"), [(1, (1, 0)), (2, (1, 1)), (3, (2, 1))])
def test_the_smallest_sets_are_split_too(rows, sizes):
    assert tuple(map(len, stratified_split(distinct([n % 2 for n in range(rows)])))) == sizes


def test_nothing_is_split_into_nothing():
    assert tuple(map(len, stratified_split(distinct([0]).take([])))) == (0, 0)


@CONFIGS
@pytest.mark.parametrize("rows", [2, 3, 10])
def test_whatever_the_share_both_sides_get_a_row(rows, share):
    assert all(map(len, stratified_split(distinct([n % 2 for n in range(rows)]), share)))


def test_copies_of_one_text_stay_together_even_if_they_are_all_there_is():
    data = labelled([("Same text", 0), ("same  text", 1), ("SAME TEXT ", 0)])
    assert tuple(map(len, stratified_split(data))) == (3, 0)


def test_a_seed_fixes_the_split_and_another_changes_it():
    data = distinct([n % 2 for n in range(40)])
    first, again, other = (stratified_split(data, seed=seed)[1].texts for seed in (1, 1, 2))
    assert first == again
    assert first != other


# --- the mix of labels


def test_the_mix_of_labels_is_kept_on_both_sides():
    train, held_out = stratified_split(distinct([int(n % 5 == 0) for n in range(200)]), 0.2)
    assert counts(train) == {0: 128, 1: 32}
    assert counts(held_out) == {0: 32, 1: 8}


@pytest.mark.parametrize("seed", range(3))
def test_the_mix_is_kept_in_every_task_together(seed):
    draw = random.Random(seed)  # noqa: S311 (made-up labels, not a secret)
    columns = {
        "mood": draw.choices([0, 1, 2, UNLABELLED], [80, 15, 3, 2], k=600),
        "topic": draw.choices(range(9), k=600),
        "tone": draw.choices([UNLABELLED, 0, 1], [70, 25, 5], k=600),
    }
    data = distinct(columns.pop("mood"), **columns)
    _, held_out = stratified_split(data, 0.15, seed)
    assert abs(len(held_out) - 90) <= 5
    for task in data.tasks:
        for label, count in counts(data, task.name).items():
            if label != UNLABELLED:
                assert abs(counts(held_out, task.name)[label] - 0.15 * count) <= 2.5


@pytest.mark.parametrize("labels", [77, 150])
def test_many_labels_with_few_texts_each_are_all_trained_and_mostly_checked(labels):
    train, held_out = stratified_split(distinct([n % labels for n in range(8 * labels)]))
    assert set(counts(train)) == set(range(labels))
    assert len(counts(held_out)) == labels


def test_a_label_with_one_text_is_trained_and_not_checked():
    train, held_out = stratified_split(distinct([0] * 30 + [1] * 30 + [2, 3]), 0.3)
    assert {2, 3} <= set(counts(train))
    assert not {2, 3} & set(counts(held_out))
    assert all(9 <= counts(held_out)[label] <= 10 for label in (0, 1))


def test_a_label_with_two_texts_is_on_both_sides_where_half_is_held_out():
    train, held_out = stratified_split(distinct([0] * 30 + [1, 1]), 0.5)
    assert counts(train)[1] == counts(held_out)[1] == 1


def test_labels_that_have_one_text_each_still_leave_something_to_check_with():
    train, held_out = stratified_split(distinct(range(20)))
    assert (len(train), len(held_out)) == (19, 1)


def test_a_row_with_labels_for_one_task_only_does_not_starve_the_other():
    labels = [0, 1] * 20 + [UNLABELLED] * 40
    data = distinct(labels, topic=[UNLABELLED] * 40 + [0, 1] * 20)
    for side, least in zip(stratified_split(data, 0.2), (12, 3), strict=True):
        for name in ("mood", "topic"):
            assert min(counts(side, name)[label] for label in (0, 1)) >= least


COLUMN = st.lists(st.integers(-1, 4), min_size=1, max_size=25)


@given(mood=COLUMN, topic=COLUMN, texts=st.integers(1, 25), share=st.floats(0.001, 0.999), seed=st.integers(0, 9))
def test_any_rows_are_split_and_none_is_lost(mood, topic, texts, share, seed):
    rows = [(f"text {n % texts}", label) for n, label in enumerate(mood)]
    data = labelled(rows, topic=[topic[n % len(topic)] for n in range(len(mood))])
    train, held_out = stratified_split(data, share, seed)
    assert sorted(train.lines + held_out.lines) == list(data.lines)
    assert not set(train.texts) & set(held_out.texts)
    assert len(train) > 0
    assert len(held_out) > 0 or len(set(data.texts)) == 1


# --- what is refused


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([("one", 0)], "two different texts"),
        ([("one", 0), ("One ", 1)], "two different texts"),
        ([("one", 0), ("two", 0)], "'mood 0', so there is nothing to tell apart"),
        ([("one", 0), ("two", 1)], "No label has two different texts"),
        ([("one", 0), ("one", 0), ("two", 1), ("three", 2)], "No label has two different texts"),
    ],
)
def test_what_cannot_be_trained_and_checked_is_refused_with_what_to_add(rows, words):
    with pytest.raises(DataError, match=f"{words}.*Add rows"):
        check_trainable(labelled(rows))


@pytest.mark.parametrize("labels", [[0, 0, 1], [0, 1, 1, 2, 3], [0] * 99 + [1]])
def test_one_label_with_two_texts_is_enough_to_train(labels):
    check_trainable(distinct(labels))


def test_a_task_with_one_label_beside_a_good_one_is_refused_by_its_name():
    with pytest.raises(DataError, match=r"'topic' has the label 'topic 0'.*leave this column out"):
        check_trainable(distinct([0, 1, 0, 1], topic=[0, 0, UNLABELLED, 0]))


def test_rows_without_labels_are_on_both_sides_too():
    task = Task("tags", ("a", "b"), multi=True)
    values = (0b01, 0b10, 0b11, 0, 0, 0, 0, 0, 0, 0) * 6
    data = Dataset(tuple(f"text {n}" for n in range(60)), (task,), {"tags": values}, tuple(range(60)))
    train, validation = stratified_split(data, 0.2)
    empty = [part.labels["tags"].count(0) / len(part) for part in (train, validation)]
    assert empty[0] == pytest.approx(empty[1], abs=0.05)
    assert all(count for part in (train, validation) for count in part.counts(task).values())


@pytest.mark.parametrize("value", [0b01, 0b11])
def test_rows_that_all_have_the_same_labels_cannot_be_learnt(value):
    task = Task("tags", ("a", "b"), multi=True)
    data = Dataset(("one", "two", "three"), (task,), {"tags": (value,) * 3}, (1, 2, 3))
    with pytest.raises(DataError, match="same labels"):
        check_trainable(data)
