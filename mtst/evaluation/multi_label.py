"""Metrics of a multi-label head, and the choice of the threshold from which on it predicts a label."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from mtst.data.dataset import Dataset
from mtst.data.labels.sets import is_labelled, multi_hot
from mtst.data.tasks import Task
from mtst.evaluation.f1 import f1_scores, macro_f1
from mtst.evaluation.scores import LabelScores, Scores
from mtst.model.outputs import probabilities, targets

CALIBRATION_BINS = 15
CANDIDATES = 60  # thresholds that are tried
FEWEST, MOST = 0.3, 3.0  # predicted labels at a candidate, relative to the labels that rows have
SMOOTHING = 5  # neighbouring candidates whose mean score counts, since one alone may be high by chance


def score_multi_label(task: Task, logits: Tensor, values: Sequence[int]) -> Scores | None:
    """Return the scores of logits (n, labels) at the threshold of the task; None if no row is labelled.

    Args:
        task: the task.
        logits: of its head.
        values: the labels of the n rows, as `Dataset.labels` holds them.
    """
    known = is_labelled(values)
    if not known.any():
        return None
    logits = logits.float().cpu()[known]
    truth = multi_hot(values, len(task.labels))[known]
    probability = probabilities(task, logits).numpy()
    predicted = probability >= task.threshold
    both, actual, claimed = (matrix.sum(axis=0) for matrix in (truth & predicted, truth, predicted))
    precision, recall = both / claimed.clip(min=1), both / actual.clip(min=1)
    total = actual + claimed
    f1, occurs = f1_scores(both, total), total > 0
    target = targets(task, values)[known]
    return Scores(
        rows=len(truth),
        loss=float(binary_cross_entropy_with_logits(logits, target, reduction="sum")) / len(truth),
        accuracy=float((truth == predicted).all(axis=1).mean()),
        precision=_mean(precision[occurs]),
        recall=_mean(recall[occurs]),
        macro_f1=float(macro_f1(both, total)),
        weighted_f1=float((f1 * actual).sum() / max(1, actual.sum())),
        calibration_error=_calibration_error(probability, truth),
        labels=tuple(
            LabelScores(int(n), float(p), float(r), float(f))
            for n, p, r, f in zip(actual, precision, recall, f1, strict=True)
        ),
        micro_f1=float(f1_scores(both.sum(), total.sum())),
        samples_f1=float(_f1_by_row(truth, predicted).mean()),
        mean_average_precision=_mean_average_precision(probability, truth),
    )


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else 0.0


def _f1_by_row(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Return the F1 of the label set of each row; 1 where it is empty and predicted to be."""
    sizes = truth.sum(axis=1) + predicted.sum(axis=1)
    return np.where(sizes > 0, f1_scores((truth & predicted).sum(axis=1), sizes), 1.0)


def _mean_average_precision(probability: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean over the labels that occur of the area under precision and recall, at all thresholds."""
    order = np.argsort(-probability, axis=0, kind="stable")
    hits = np.take_along_axis(truth, order, axis=0)
    precision = hits.cumsum(axis=0) / np.arange(1, len(truth) + 1)[:, None]
    counts = truth.sum(axis=0)
    average = (precision * hits).sum(axis=0) / counts.clip(min=1)
    return _mean(average[counts > 0])


def _calibration_error(probability: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean distance between probability and frequency over bins of probability, of all labels together."""
    bins = np.minimum((probability * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = np.bincount(bins.ravel(), (probability - truth).ravel(), CALIBRATION_BINS)
    return float(np.abs(gaps).sum() / truth.size)


def choose_thresholds(tasks: Sequence[Task], logits: dict[str, Tensor], held_out: Dataset) -> tuple[Task, ...]:
    """Return the tasks, those with several labels a row with the threshold of the highest macro-F1 on held-out rows.

    One threshold serves all labels of a task: one for each would be chosen by the few held-out rows that have it.

    Args:
        tasks: the tasks.
        logits: (n, labels) for each task.
        held_out: the n rows; a task that none of them is labelled for keeps its threshold.
    """
    return tuple(
        replace(task, threshold=best_threshold(task, logits[task.name], held_out.labels[task.name]))
        if task.multi and task.name in logits
        else task
        for task in tasks
    )


def best_threshold(task: Task, logits: Tensor, values: Sequence[int]) -> float:
    """Return the threshold of the highest macro-F1 of logits (n, labels) on n rows; that of the task without labels."""
    known = is_labelled(values)
    truth = multi_hot(values, len(task.labels))[known]
    if not truth.any():
        return task.threshold
    probability = probabilities(task, logits.float().cpu()).numpy()[known]
    ranked = np.sort(probability.ravel())[::-1]
    count = truth.sum()
    sizes = np.geomspace(max(1, FEWEST * count), min(len(ranked) - 1, MOST * count), CANDIDATES).astype(int)
    sizes = np.unique(sizes.clip(1, len(ranked) - 1))
    candidates = (ranked[sizes - 1].astype(float) + ranked[sizes]) / 2
    claimed = (probability >= threshold for threshold in candidates)
    scores = np.array([macro_f1((truth & each).sum(axis=0), truth.sum(axis=0) + each.sum(axis=0)) for each in claimed])
    weights = np.ones(min(SMOOTHING, len(scores)))
    smoothed = np.convolve(scores, weights, "same") / np.convolve(np.ones_like(scores), weights, "same")
    return float(candidates[smoothed.argmax()])
