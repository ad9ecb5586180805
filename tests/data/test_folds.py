"""Folds for cross-validation."""

from collections import Counter
from dataclasses import replace

import pytest

from mtst.data.folds import stratified_folds


def test_every_row_is_in_one_fold_and_the_seed_decides_which(sample):
    folds = stratified_folds(sample, 5, seed=3)
    assert sorted(row for fold in folds for row in fold) == list(range(len(sample)))
    assert folds == stratified_folds(sample, 5, seed=3)
    assert folds != stratified_folds(sample, 5, seed=4)


@pytest.mark.parametrize("rows", [30, 57, 60])
def test_each_fold_has_its_share_of_every_label_of_every_task(sample, rows):
    data = sample.take(range(rows))
    folds = stratified_folds(data, 5)
    assert max(map(len, folds)) - min(map(len, folds)) <= 2
    for labels in data.labels.values():
        for label, count in Counter(labels).items():
            shares = [sum(labels[row] == label for row in fold) for fold in folds]
            assert all(abs(share - count / 5) < 2 for share in shares), shares


def test_a_label_of_two_texts_can_be_learnt_whichever_fold_is_left_out(sample):
    labels = {name: tuple(values) for name, values in sample.labels.items()}
    first = next(iter(labels))
    rare = (7, 7, *(0 for _ in labels[first][2:]))
    folds = stratified_folds(replace(sample, labels=labels | {first: rare}), 5)
    assert sum(any(row < 2 for row in fold) for fold in folds) == 2


def test_copies_of_a_text_stay_together(sample):
    doubled = sample.take([*range(30), *range(30)])
    texts = tuple(f"  {text.upper()} " if row >= 30 else text for row, text in enumerate(doubled.texts))
    for fold in stratified_folds(replace(doubled, texts=texts), 5):
        assert {row % 30 for row in fold if row < 30} == {row % 30 for row in fold if row >= 30}
