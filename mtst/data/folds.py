"""Folds of the rows for cross-validation, stratified by every label of every task; copies of a text stay together."""

import random
from collections import Counter

from mtst.data.dataset import Dataset
from mtst.data.split import Label, labels_of, rows_by_text

ANY: Label = ("", 0)  # stands for a label that every text has, so that folds are of one size


def stratified_folds(data: Dataset, folds: int, seed: int = 0) -> list[list[int]]:
    """Return the indices of the rows of each fold; every row is in one of them.

    After the iterative stratification of Sechidis, Tsoumakas and Vlahavas (2011): the texts of the rarest label are
    assigned first. Each goes to the fold that lacks its labels most, as a share of what the fold should have of each.

    Args:
        data: the rows.
        folds: how many, no more than there are different texts.
        seed: fixes the folds.
    """
    rng = random.Random(seed)  # noqa: S311 (folds, not a secret)
    groups = rows_by_text(data)
    rng.shuffle(groups)
    group_labels = [(*labels_of(data, group), ANY) for group in groups]
    counts = Counter(label for labels in group_labels for label in labels)
    taken: list[Counter[Label]] = [Counter() for _ in range(folds)]
    members: list[list[int]] = [[] for _ in range(folds)]
    for group in _rarest_first(group_labels, counts):
        order = rng.sample(range(folds), folds)  # breaks ties
        fullness = {fold: sum(taken[fold][label] / counts[label] for label in group_labels[group]) for fold in order}
        chosen = min(order, key=fullness.__getitem__)
        taken[chosen].update(group_labels[group])
        members[chosen] += groups[group]
    return [sorted(fold) for fold in members]


def _rarest_first(group_labels: list[tuple[Label, ...]], counts: Counter[Label]) -> list[int]:
    """Return the indices of the groups, those with the rarest label first."""
    return sorted(range(len(group_labels)), key=lambda group: min(counts[label] for label in group_labels[group]))
