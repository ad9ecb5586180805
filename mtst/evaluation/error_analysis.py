"""What a model says of the held-out rows: which are wrong, how sure it was, and where it is wrong more often."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtst.data.dataset import UNLABELLED, Dataset
from mtst.data.tasks import Task
from mtst.evaluation.scores import Confusion

if TYPE_CHECKING:
    from mtst.model.multitask import MultiTaskSentenceTransformer

ALL_LABELS = 50  # of a task with more labels, each row keeps the likeliest ones and the true one
LIKELIEST = 10
FEW_ROWS = 10  # in a group of fewer a score says little
LENGTHS = ("short", "medium", "long")

Ranking = tuple[tuple[int, float], ...]  # the labels of a row and their probabilities, the likeliest first


@dataclass(frozen=True)
class HeldOutPredictions:
    """What a model says of the held-out rows of its run.

    `lines` says where in the file each row begins, `said[task.name]` what is said of each row.
    """

    lines: tuple[int, ...]
    said: dict[str, tuple[Ranking, ...]]


@dataclass(frozen=True)
class PredictedRow:
    """What one head says of one labelled row.

    Attributes:
        row: the row's place among the held-out rows.
        truth: its label, as an index.
        label: the label that is said.
        confidence: the probability of that label.
        of_truth: the probability of the true one.
    """

    row: int
    truth: int
    label: int
    confidence: float
    of_truth: float

    @property
    def right(self) -> bool:
        return self.truth == self.label


@dataclass(frozen=True)
class Slice:
    """The scores of one task in a group of held-out rows; shares between 0 and 1.

    Macro-F1 is the plain mean over the labels that rows of the group carry.
    """

    name: str
    rows: int
    accuracy: float
    macro_f1: float

    @property
    def few(self) -> bool:
        return self.rows < FEW_ROWS


@dataclass(frozen=True)
class Bin:
    """The answers whose confidence lies in the tenth from `place` tenths on: how many, and how many are right."""

    place: int
    rows: int
    right: int


def predict_held_out(model: "MultiTaskSentenceTransformer", held_out: Dataset) -> HeldOutPredictions:
    """Ask a model for the held-out rows; probabilities have four digits."""
    found = model.predict(held_out.texts)
    said = {
        name: tuple(_ranking(row, truth) for row, truth in zip(each.probabilities, held_out.labels[name], strict=True))
        for name, each in found.items()
    }
    return HeldOutPredictions(held_out.lines, said)


def _ranking(probabilities: np.ndarray, truth: int) -> Ranking:
    order = [int(label) for label in np.argsort(-probabilities, kind="stable")]
    if len(order) > ALL_LABELS:
        order = [label for place, label in enumerate(order) if place < LIKELIEST or label == truth]
    return tuple((label, round(float(probabilities[label]), 4)) for label in order)


def predicted_rows(said: HeldOutPredictions, held_out: Dataset, task: Task) -> list[PredictedRow]:
    """Return what is said of each held-out row that has a label for a task, in the order of the rows."""
    found = []
    for row, (ranking, truth) in enumerate(zip(said.said[task.name], held_out.labels[task.name], strict=True)):
        if truth != UNLABELLED:
            label, confidence = ranking[0]
            found.append(PredictedRow(row, truth, label, confidence, dict(ranking).get(truth, 0.0)))
    return found


def worst_first(found: Sequence[PredictedRow]) -> list[PredictedRow]:
    """Return the wrong answers, those first that were given with the most confidence."""
    return sorted((each for each in found if not each.right), key=lambda each: -each.confidence)


def count_confusions(found: Sequence[PredictedRow], labels: int) -> Confusion:
    """Return how many rows of each label (a row) were taken for each label (a column)."""
    counts = np.zeros((labels, labels), dtype=int)
    for each in found:
        counts[each.truth, each.label] += 1
    return tuple(tuple(map(int, row)) for row in counts)


def scores_by_length(found: Sequence[PredictedRow], held_out: Dataset) -> list[Slice]:
    """Score the shortest third of the rows, the middle one and the longest, by their numbers of words.

    Rows of one length stay together, so the thirds are as even as lengths allow; an empty one is left out.
    """
    if not found:
        return []
    words = np.array([len(held_out.texts[each.row].split()) for each in found])
    ends = np.searchsorted(np.quantile(words, (1 / 3, 2 / 3), method="inverted_cdf"), words)
    groups = ((name, words[ends == k], np.flatnonzero(ends == k)) for k, name in enumerate(LENGTHS))
    return [
        _score(f"{name} ({_between(size)})", [found[place] for place in places])
        for name, size, places in groups
        if len(places)
    ]


def _between(words: np.ndarray) -> str:
    low, high = words.min(), words.max()
    if low < high:
        return f"{low} to {high} words"
    return f"{low} words" if low > 1 else "1 word"


def scores_by_label(found: Sequence[PredictedRow], held_out: Dataset, other: Task) -> list[Slice]:
    """Score the rows of each label of another task, the label with the most rows first."""
    labels = held_out.labels[other.name]
    groups: dict[int, list[PredictedRow]] = {}
    for each in found:
        groups.setdefault(labels[each.row], []).append(each)
    groups.pop(UNLABELLED, None)
    slices = [_score(other.labels[label], rows) for label, rows in groups.items()]
    return sorted(slices, key=lambda group: -group.rows)


def _score(name: str, found: Sequence[PredictedRow]) -> Slice:
    from sklearn.metrics import f1_score

    truth, said = [each.truth for each in found], [each.label for each in found]
    right = sum(each.right for each in found) / len(found)
    present = sorted(set(truth))  # one row taken for a label that no other row has would weigh as much as a whole label
    return Slice(
        name, len(found), right, float(f1_score(truth, said, labels=present, average="macro", zero_division=0))
    )


def reliability(found: Sequence[PredictedRow]) -> list[Bin]:
    """Return, for each tenth of confidence with an answer in it, how many answers there are and how many are right.

    These are the numbers of a reliability diagram (DeGroot and Fienberg 1983; Guo, Pleiss, Sun and Weinberger 2017).
    """
    bins: dict[int, list[PredictedRow]] = {}
    for each in found:
        bins.setdefault(bin_of(each.confidence), []).append(each)
    return [Bin(place, len(rows), sum(each.right for each in rows)) for place, rows in sorted(bins.items())]


def bin_of(confidence: float) -> int:
    """Return the number of the tenth that a confidence lies in."""
    return min(int(10 * confidence), 9)
