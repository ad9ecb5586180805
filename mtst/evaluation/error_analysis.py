"""Error analysis on held-out rows: which are wrong, how confident the model was, where it is wrong more often."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from mtst.data.dataset import UNLABELLED, Dataset
from mtst.data.labels.sets import label_indices, multi_hot, to_mask
from mtst.data.tasks import Task
from mtst.evaluation.f1 import f1_scores
from mtst.evaluation.scores import Confusion

if TYPE_CHECKING:
    from mtst.model.multitask import MultiTaskSentenceTransformer

MAX_LABELS_STORED = 50  # of a task with more labels, each row keeps the top ones and the true one
TOP_LABELS = 10
FEW_ROWS = 10  # a score on fewer rows says little
LENGTHS = ("short", "medium", "long")

Ranking = tuple[tuple[int, float], ...]  # the labels of a row and their probabilities, the most probable first


@dataclass(frozen=True)
class HeldOutPredictions:
    """What a model predicts for the held-out rows of its run.

    `lines` has the line of the file at which each row begins, `said[task.name]` the ranking of each row. `thresholds`
    are those of the multi-label tasks.
    """

    lines: tuple[int, ...]
    said: dict[str, tuple[Ranking, ...]]
    thresholds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class PredictedRow:
    """What one head predicts for one labelled row.

    Labels are as `Dataset.labels` holds them: an index, or in a multi-label task the mask of a label set. The
    probability of a set is that of having all of its labels and no other, each label being independent of the others.

    Attributes:
        row: the row's index among the held-out rows.
        truth: its label.
        predicted: the predicted label.
        confidence: the probability of that label.
        true_probability: the probability of the true label.
    """

    row: int
    truth: int
    predicted: int
    confidence: float
    true_probability: float

    @property
    def is_correct(self) -> bool:
        return self.truth == self.predicted


@dataclass(frozen=True)
class SliceScores:
    """The scores of one task on a slice of the held-out rows, between 0 and 1.

    Macro-F1 is the plain mean over the labels that rows of the slice carry.
    """

    name: str
    rows: int
    accuracy: float
    macro_f1: float

    @property
    def is_small(self) -> bool:
        return self.rows < FEW_ROWS


@dataclass(frozen=True)
class ReliabilityBin:
    """The predictions with a confidence from `index` tenths on, below the next tenth: how many, how many correct."""

    index: int
    rows: int
    correct: int


def predict_held_out(model: "MultiTaskSentenceTransformer", held_out: Dataset) -> HeldOutPredictions:
    """Predict the held-out rows; probabilities are rounded to four digits."""
    rankings = {
        name: tuple(
            _ranking(prediction.task, row, truth)
            for row, truth in zip(prediction.probabilities, held_out.labels[name], strict=True)
        )
        for name, prediction in model.predict(held_out.texts).items()
    }
    thresholds = {task.name: task.threshold for task in model.tasks if task.multi}
    return HeldOutPredictions(held_out.lines, rankings, thresholds)


def _ranking(task: Task, probabilities: np.ndarray, truth: int) -> Ranking:
    order = [int(label) for label in np.argsort(-probabilities, kind="stable")]
    if len(order) > MAX_LABELS_STORED:
        true_labels = label_indices(task, truth)
        order = [label for rank, label in enumerate(order) if rank < TOP_LABELS or label in true_labels]
    return tuple((label, round(float(probabilities[label]), 4)) for label in order)


def predicted_rows(predictions: HeldOutPredictions, held_out: Dataset, task: Task) -> list[PredictedRow]:
    """Return the predictions for the held-out rows that have a label for a task, in the order of the rows."""
    rows = []
    rankings, labels = predictions.said[task.name], held_out.labels[task.name]
    threshold = predictions.thresholds.get(task.name, task.threshold)
    for row, (ranking, truth) in enumerate(zip(rankings, labels, strict=True)):
        if truth == UNLABELLED:
            continue
        if task.multi:
            predicted = to_mask(label for label, probability in ranking if probability >= threshold)
            confidence, true_probability = (_set_probability(ranking, labels) for labels in (predicted, truth))
        else:
            predicted, confidence = ranking[0]
            true_probability = dict(ranking).get(truth, 0.0)
        rows.append(PredictedRow(row, truth, predicted, confidence, true_probability))
    return rows


def label_decisions(predictions: HeldOutPredictions, held_out: Dataset, task: Task) -> list[PredictedRow]:
    """Return what is predicted for the held-out rows of a multi-label task, label by label.

    Each label of a row is a prediction of its own, with its probability as confidence, and correct if the row has it.
    """
    return [
        PredictedRow(row, label if truth >> label & 1 else UNLABELLED, label, probability, probability)
        for row, (ranking, truth) in enumerate(
            zip(predictions.said[task.name], held_out.labels[task.name], strict=True)
        )
        if truth != UNLABELLED
        for label, probability in ranking
    ]


def _set_probability(ranking: Ranking, labels: int) -> float:
    return prod(probability if labels >> label & 1 else 1 - probability for label, probability in ranking)


def confident_errors(rows: Sequence[PredictedRow]) -> list[PredictedRow]:
    """Return the wrong predictions, the most confident first."""
    return sorted((row for row in rows if not row.is_correct), key=lambda row: -row.confidence)


def count_confusions(rows: Sequence[PredictedRow], labels: int) -> Confusion:
    """Return the confusion matrix: how many rows of each label (row) were predicted as each label (column)."""
    counts = np.zeros((labels, labels), dtype=int)
    for row in rows:
        counts[row.truth, row.predicted] += 1
    return tuple(tuple(map(int, counted)) for counted in counts)


def scores_by_length(task: Task, rows: Sequence[PredictedRow], held_out: Dataset) -> list[SliceScores]:
    """Score the shortest third of the rows, the middle and the longest third, by their numbers of words.

    Rows of one length stay together, so the thirds are as even as lengths allow; empty ones are left out.
    """
    if not rows:
        return []
    words = np.array([len(held_out.texts[row.row].split()) for row in rows])
    thirds = np.searchsorted(np.quantile(words, (1 / 3, 2 / 3), method="inverted_cdf"), words)
    slices = ((name, words[thirds == k], np.flatnonzero(thirds == k).tolist()) for k, name in enumerate(LENGTHS))
    return [
        _score(task, f"{name} ({_word_range(lengths)})", [rows[k] for k in members])
        for name, lengths, members in slices
        if members
    ]


def _word_range(words: np.ndarray) -> str:
    low, high = words.min(), words.max()
    if low < high:
        return f"{low} to {high} words"
    return f"{low} words" if low > 1 else "1 word"


def scores_by_label(task: Task, rows: Sequence[PredictedRow], held_out: Dataset, other: Task) -> list[SliceScores]:
    """Score the rows of each label of another task, the label with the most rows first."""
    labels = held_out.labels[other.name]
    by_label: dict[int, list[PredictedRow]] = {}
    for row in rows:
        for label in label_indices(other, labels[row.row]):
            by_label.setdefault(label, []).append(row)
    slices = [_score(task, other.labels[label], members) for label, members in by_label.items()]
    return sorted(slices, key=lambda scored: -scored.rows)


def _score(task: Task, name: str, rows: Sequence[PredictedRow]) -> SliceScores:
    truth, predicted = (
        multi_hot([value if task.multi else to_mask([value]) for value in values], len(task.labels))
        for values in ([row.truth for row in rows], [row.predicted for row in rows])
    )
    # Only labels that rows of the slice carry: one row predicted as a label that no other row has would weigh as much
    # as a whole label.
    present = truth.any(axis=0)
    both, total = (truth & predicted).sum(axis=0), truth.sum(axis=0) + predicted.sum(axis=0)
    f1 = f1_scores(both[present], total[present])
    accuracy = sum(row.is_correct for row in rows) / len(rows)
    return SliceScores(name, len(rows), accuracy, float(f1.mean()) if len(f1) else accuracy)


def reliability_bins(rows: Sequence[PredictedRow]) -> list[ReliabilityBin]:
    """Return the tenths of confidence that have predictions, with how many of them are correct.

    These are the numbers of a reliability diagram (DeGroot and Fienberg 1983; Guo, Pleiss, Sun and Weinberger 2017).
    """
    bins: dict[int, list[PredictedRow]] = {}
    for row in rows:
        bins.setdefault(confidence_bin(row.confidence), []).append(row)
    return [
        ReliabilityBin(index, len(members), sum(row.is_correct for row in members))
        for index, members in sorted(bins.items())
    ]


def confidence_bin(confidence: float) -> int:
    """Return the index of the tenth that a confidence lies in."""
    return min(int(10 * confidence), 9)
