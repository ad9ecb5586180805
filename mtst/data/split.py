"""Split rows into train and validation, stratified by every label of every task; copies of a text stay together."""

import random
from collections import Counter

from mtst.data.dataset import UNLABELLED, Dataset
from mtst.data.labels.sets import label_indices
from mtst.errors import DataError

MAX_VALIDATION_ROWS = 1_000
EMPTY = -2  # in place of a label: labelled, with none of the labels
Label = tuple[str, int]  # a task's name and the index of one of its labels, or `EMPTY`


def check_trainable(data: Dataset) -> None:
    """Refuse data that cannot be both trained and validated on.

    Raises:
        DataError: there is one text only, a task with one label only, or no label with two texts; the message says
            what to add.
    """
    if len(set(map(text_key, data.texts))) < 2:
        raise DataError("Training needs at least two different texts: one to learn from, one to check with. Add rows.")
    for task in data.tasks:
        present = [label for label, count in data.counts(task).items() if count]
        if task.multi and all(count in (0, data.labelled_rows(task)) for count in data.counts(task).values()):
            raise DataError(
                f"Every row of {task.name!r} has the same labels, so there is nothing to tell apart. "
                "Add rows with other labels, or leave this column out."
            )
        if len(present) == 1 and not task.multi:
            raise DataError(
                f"Every row of {task.name!r} has the label {present[0]!r}, so there is nothing to tell apart. "
                "Add rows with another label, or leave this column out."
            )
    if all(count < 2 for count in _texts_per_label(data).values()):
        raise DataError(
            "No label has two different texts, so none can be both learnt and checked. "
            "Add rows until each label has a few; eight or more is a sensible start."
        )


def stratified_split(data: Dataset, share: float = 0.15, seed: int = 0) -> tuple[Dataset, Dataset]:
    """Split into train and validation by iterative stratification (Sechidis, Tsoumakas and Vlahavas 2011).

    The texts of the rarest label are assigned first, each to the side that lacks it most; so `share` of the texts of
    every label of every task go to validation, as nearly as their number allows. Rows with the same text, ignoring case
    and whitespace, stay together. The first text of a label goes to train. With two distinct texts or more, no side is
    empty.
    """
    groups = rows_by_text(data)
    random.Random(seed).shuffle(groups)  # noqa: S311 (a shuffle, not a secret)
    group_labels = [labels_of(data, group) for group in groups]
    target = min(max(1, round(len(groups) * share)), len(groups) - 1)
    selected = _top_up(_stratify(group_labels, share), group_labels, target, share)
    train = sorted(row for index, group in enumerate(groups) if index not in selected for row in group)
    validation = sorted(row for index, group in enumerate(groups) if index in selected for row in group)
    return data.take(train), data.take(validation)


def _stratify(group_labels: list[tuple[Label, ...]], share: float) -> set[int]:
    """Return the indices of the groups that go to validation."""
    members: dict[Label, list[int]] = {}
    for group, labels in enumerate(group_labels):
        for label in labels:
            members.setdefault(label, []).append(group)
    remaining = {label: len(groups) for label, groups in members.items()}
    lacking = {label: share * count for label, count in remaining.items()}  # in validation
    lacking_total = share * len(group_labels)
    in_train: set[Label] = set()
    unassigned = set(range(len(group_labels)))
    selected: set[int] = set()
    while remaining:
        rarest = min(remaining, key=remaining.__getitem__)
        for group in members[rarest]:
            if group not in unassigned:
                continue
            for_validation, for_train = lacking[rarest], remaining[rarest] - lacking[rarest]
            is_last = any(remaining[label] == 1 and label not in in_train for label in group_labels[group])
            prefers_validation = for_validation > for_train or (
                for_validation == for_train and lacking_total > len(unassigned) - lacking_total
            )
            to_validation = prefers_validation and not is_last
            if to_validation:
                selected.add(group)
                lacking_total -= 1
            else:
                in_train.update(group_labels[group])
            unassigned.remove(group)
            for label in group_labels[group]:
                remaining[label] -= 1
                lacking[label] -= to_validation
        del remaining[rarest]
    return selected


def _top_up(selected: set[int], group_labels: list[tuple[Label, ...]], target: int, share: float) -> set[int]:
    """Add groups if so many labels are rare that too few were selected: first those whose labels validation lacks."""
    total = Counter(label for labels in group_labels for label in labels)
    validation = Counter(label for group in selected for label in group_labels[group])
    rest = [group for group in range(len(group_labels)) if group not in selected]
    rest.sort(key=lambda group: -sum(share * total[label] - validation[label] for label in group_labels[group]))
    selected = set(selected)
    for group in rest:
        if len(selected) >= target:
            break
        if all(total[label] - validation[label] > 1 for label in group_labels[group]):
            selected.add(group)
            validation.update(group_labels[group])
    if not selected and target > 0:  # every label has one text only
        selected.add(rest[0])
    if len(selected) == len(group_labels) > 1:
        selected.pop()
    return selected


def rows_by_text(data: Dataset) -> list[list[int]]:
    """Return the indices of the rows, grouped by text, in order of first appearance."""
    groups: dict[str, list[int]] = {}
    for row, text in enumerate(data.texts):
        groups.setdefault(text_key(text), []).append(row)
    return list(groups.values())


def text_key(text: str) -> str:
    """Return what copies of a text share: its words, ignoring case and whitespace."""
    return " ".join(text.casefold().split())


def labels_of(data: Dataset, group: list[int]) -> tuple[Label, ...]:
    """Return the labels of all tasks that some rows have, each once."""
    labels = (
        (task.name, label)
        for task in data.tasks
        for row in group
        for label in label_indices(task, data.labels[task.name][row]) or _without_labels(data.labels[task.name][row])
    )
    return tuple(dict.fromkeys(labels))


def _without_labels(value: int) -> tuple[int, ...]:
    """Return what stands for a label where a row of a multi-label task has none, so that both sides get such rows."""
    return () if value == UNLABELLED else (EMPTY,)


def _texts_per_label(data: Dataset) -> Counter[Label]:
    return Counter(label for group in rows_by_text(data) for label in labels_of(data, group))
