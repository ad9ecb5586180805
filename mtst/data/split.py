"""Train and validation: alike in every label of every task, with all copies of a text on one side."""

import random
from collections import Counter

from mtst.data.dataset import UNLABELLED, Dataset
from mtst.errors import DataError

MAX_VALIDATION_ROWS = 1_000
Label = tuple[str, int]  # a task's name and a place among its labels


def check_trainable(data: Dataset) -> None:
    """Refuse what cannot be trained and checked.

    Raises:
        DataError: there is one text only, a task with one label only, or no label with two texts; the message says
            what to add.
    """
    if len(set(map(text_key, data.texts))) < 2:
        raise DataError("Training needs at least two different texts: one to learn from, one to check with. Add rows.")
    for task in data.tasks:
        present = [label for label, count in data.counts(task).items() if count]
        if len(present) == 1:
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

    The texts of the rarest label are dealt out first, each to the side that lacks it most; so every label of every
    task is shared out as `share` says, as nearly as its number allows. Rows with the same text, whatever its case and
    blanks, stay on one side. A label keeps a text to train on before it gives one to validation. Two distinct texts
    or more give at least one to each side.
    """
    groups = rows_by_text(data)
    random.Random(seed).shuffle(groups)  # noqa: S311 (a draw of rows, not a secret)
    found = [_labels_of(data, group) for group in groups]
    wanted = min(max(1, round(len(groups) * share)), len(groups) - 1)
    chosen = _top_up(_deal(found, share), found, wanted, share)
    train = sorted(i for k, group in enumerate(groups) if k not in chosen for i in group)
    held_out = sorted(i for k, group in enumerate(groups) if k in chosen for i in group)
    return data.take(train), data.take(held_out)


def _deal(found: list[tuple[Label, ...]], share: float) -> set[int]:
    """Return the places of the groups that go to validation."""
    members: dict[Label, list[int]] = {}
    for place, labels in enumerate(found):
        for label in labels:
            members.setdefault(label, []).append(place)
    left = {label: len(places) for label, places in members.items()}
    lacking = {label: share * count for label, count in left.items()}  # in validation
    trained: set[Label] = set()
    open_places = dict.fromkeys(range(len(found)))
    total = share * len(found)
    chosen: set[int] = set()
    while left:
        rarest = min(left, key=left.__getitem__)
        for place in members[rarest]:
            if place not in open_places:
                continue
            here, there = lacking[rarest], left[rarest] - lacking[rarest]
            needed = any(left[label] == 1 and label not in trained for label in found[place])
            taken = not needed and (here > there or (here == there and total > len(open_places) - total))
            if taken:
                chosen.add(place)
                total -= 1
            else:
                trained.update(found[place])
            del open_places[place]
            for label in found[place]:
                left[label] -= 1
                lacking[label] -= taken
        del left[rarest]
    return chosen


def _top_up(chosen: set[int], found: list[tuple[Label, ...]], wanted: int, share: float) -> set[int]:
    """Add groups, where so many labels are rare that too few were dealt out: those that validation lacks the most."""
    total = Counter(label for labels in found for label in labels)
    held = Counter(label for place in chosen for label in found[place])
    rest = [place for place in range(len(found)) if place not in chosen]
    rest.sort(key=lambda place: -sum(share * total[label] - held[label] for label in found[place]))
    chosen = set(chosen)
    for place in rest:
        if len(chosen) >= wanted:
            break
        if all(total[label] - held[label] > 1 for label in found[place]):
            chosen.add(place)
            held.update(found[place])
    if not chosen and wanted > 0:  # every label has one text only
        chosen.add(rest[0])
    if len(chosen) == len(found) > 1:
        chosen.pop()
    return chosen


def rows_by_text(data: Dataset) -> list[list[int]]:
    """Return the places of the rows, those with copies of one text together, in order of their first."""
    places: dict[str, list[int]] = {}
    for index, text in enumerate(data.texts):
        places.setdefault(text_key(text), []).append(index)
    return list(places.values())


def text_key(text: str) -> str:
    """Return what texts that are copies of each other share: the words, whatever their case and blanks."""
    return " ".join(text.casefold().split())


def _labels_of(data: Dataset, group: list[int]) -> tuple[Label, ...]:
    named = ((name, values[row]) for row in group for name, values in data.labels.items())
    return tuple(dict.fromkeys(label for label in named if label[1] != UNLABELLED))


def _texts_per_label(data: Dataset) -> Counter[Label]:
    return Counter(label for group in rows_by_text(data) for label in _labels_of(data, group))
