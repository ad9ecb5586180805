"""Metrics of each head: loss, accuracy, precision, recall, F1 and calibration, on the rows labelled for its task."""

from collections.abc import Sequence
from functools import partial

import torch
from sklearn.metrics import confusion_matrix
from torch import Tensor
from torch.nn.functional import cross_entropy

from mtst.data.dataset import UNLABELLED, Dataset
from mtst.data.tasks import Task
from mtst.evaluation.multi_label import CALIBRATION_BINS, score_multi_label
from mtst.evaluation.scores import Confusion, LabelScores, Scores
from mtst.model.multitask import MultiTaskSentenceTransformer


def score(logits: Tensor, labels: Sequence[int] | Tensor) -> Scores | None:
    """Return the scores of logits (n, labels) against n label indices; None if no row has a label.

    A label that is never predicted has precision 0, and one that never occurs recall 0. Counted here and not by
    scikit-learn, whose checks of its input take longer than an epoch of training heads.
    """
    truth = torch.as_tensor(labels)
    known = truth != UNLABELLED
    if not known.any():
        return None
    logits, truth = logits.float().cpu()[known], truth[known]
    predicted = logits.argmax(dim=1)
    count = logits.shape[1]
    true_positives, actual, claimed = (
        torch.bincount(values, minlength=count).double() for values in (truth[predicted == truth], truth, predicted)
    )
    precision = true_positives / claimed.clamp(min=1)
    recall = true_positives / actual.clamp(min=1)
    f1 = 2 * true_positives / (actual + claimed).clamp(min=1)
    occurs = actual + claimed > 0
    return Scores(
        rows=len(truth),
        loss=float(cross_entropy(logits, truth)),
        accuracy=float(true_positives.sum() / len(truth)),
        precision=float(precision[occurs].mean()),
        recall=float(recall[occurs].mean()),
        macro_f1=float(f1[occurs].mean()),
        weighted_f1=float((f1 * actual).sum() / len(truth)),
        calibration_error=_calibration_error(logits, truth),
        labels=tuple(
            LabelScores(int(n), p, r, f)
            for n, p, r, f in zip(*(part.tolist() for part in (actual, precision, recall, f1)), strict=True)
        ),
    )


def score_tasks(logits: dict[str, Tensor], data: Dataset, tasks: Sequence[Task] | None = None) -> dict[str, Scores]:
    """Score each task that has logits (n, labels) for the n rows of `data` and at least one labelled row.

    `tasks` are those of the data with other thresholds, if these are known.
    """
    scores = {}
    for task in tasks or data.tasks:
        if task.name in logits:
            values, score_one = data.labels[task.name], partial(score_multi_label, task) if task.multi else score
            if scored := score_one(logits[task.name], values):
                scores[task.name] = scored
    return scores


def _calibration_error(logits: Tensor, truth: Tensor) -> float:
    confidence, predicted = logits.softmax(dim=1).max(dim=1)
    bins = (confidence * CALIBRATION_BINS).long().clamp(max=CALIBRATION_BINS - 1)
    gaps = torch.zeros(CALIBRATION_BINS).index_add(0, bins, confidence - (predicted == truth).float())
    return float(gaps.abs().sum() / len(truth))


def confusion_matrices(logits: dict[str, Tensor], data: Dataset) -> dict[str, Confusion]:
    """Return for each single-label task how many rows of each label (row) were predicted as each label (column).

    That of a multi-label task is empty, for no label is predicted in place of another there.
    """
    matrices: dict[str, Confusion] = {task.name: () for task in data.tasks if task.multi}
    for task in data.tasks:
        if task.multi:
            continue
        truth = torch.tensor(data.labels[task.name])
        known = truth != UNLABELLED
        predicted = logits[task.name].argmax(dim=1)[known]
        counts = confusion_matrix(truth[known], predicted, labels=range(len(task.labels))) if known.any() else []
        matrices[task.name] = tuple(tuple(map(int, row)) for row in counts)
    return matrices


def compute_logits(model: MultiTaskSentenceTransformer, embeddings: Tensor) -> dict[str, Tensor]:
    """Return the logits (n, labels) of each task for embeddings (n, d), on the CPU."""
    with torch.inference_mode():
        logits = model.classify(embeddings.to(model.encoder.device))
    return {name: values.cpu() for name, values in logits.items()}


def evaluate(model: MultiTaskSentenceTransformer, data: Dataset) -> dict[str, Scores]:
    """Return the scores of each task on a dataset, by task name; a task without labelled rows is absent."""
    if not len(data):
        return {}
    return score_tasks(compute_logits(model, torch.from_numpy(model.encode(data.texts))), data, model.tasks)
