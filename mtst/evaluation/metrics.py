"""Metrics of each head: loss, accuracy, precision, recall, F1 and calibration, on the rows labelled for its task."""

from collections.abc import Sequence

import torch
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_recall_fscore_support
from torch import Tensor
from torch.nn.functional import cross_entropy

from mtst.data.dataset import UNLABELLED, Dataset
from mtst.evaluation.scores import Confusion, LabelScores, Scores
from mtst.model.multitask import MultiTaskSentenceTransformer

CALIBRATION_BINS = 15


def score(logits: Tensor, labels: Sequence[int] | Tensor) -> Scores | None:
    """Return the scores of logits (n, labels) against n label indices; None if no row has a label."""
    truth = torch.as_tensor(labels)
    known = truth != UNLABELLED
    if not known.any():
        return None
    logits, truth = logits.float().cpu()[known], truth[known]
    predicted = logits.argmax(dim=1)
    precision, recall, macro_f1, _ = precision_recall_fscore_support(truth, predicted, average="macro", zero_division=0)
    by_label = precision_recall_fscore_support(truth, predicted, labels=range(logits.shape[1]), zero_division=0)
    return Scores(
        rows=len(truth),
        loss=float(cross_entropy(logits, truth)),
        accuracy=float(accuracy_score(truth, predicted)),
        precision=float(precision),
        recall=float(recall),
        macro_f1=float(macro_f1),
        weighted_f1=float(f1_score(truth, predicted, average="weighted", zero_division=0)),
        calibration_error=_calibration_error(logits, truth),
        labels=tuple(LabelScores(int(n), float(p), float(r), float(f)) for p, r, f, n in zip(*by_label, strict=True)),
    )


def score_tasks(logits: dict[str, Tensor], data: Dataset) -> dict[str, Scores]:
    """Score each task that has logits (n, labels) for the n rows of `data` and at least one labelled row."""
    tasks = [task.name for task in data.tasks if task.name in logits]
    scores = {name: score(logits[name], data.labels[name]) for name in tasks}
    return {name: scored for name, scored in scores.items() if scored is not None}


def _calibration_error(logits: Tensor, truth: Tensor) -> float:
    confidence, predicted = logits.softmax(dim=1).max(dim=1)
    bins = (confidence * CALIBRATION_BINS).long().clamp(max=CALIBRATION_BINS - 1)
    gaps = torch.zeros(CALIBRATION_BINS).index_add(0, bins, confidence - (predicted == truth).float())
    return float(gaps.abs().sum() / len(truth))


def confusion_matrices(logits: dict[str, Tensor], data: Dataset) -> dict[str, Confusion]:
    """Return for each task how many rows of each label (row) were predicted as each label (column)."""
    matrices = {}
    for task in data.tasks:
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
    return score_tasks(compute_logits(model, torch.from_numpy(model.encode(data.texts))), data)
