"""How well each head does: loss, accuracy, precision, recall and F1, on the rows that have a label for its task."""

from collections.abc import Sequence

import torch
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_recall_fscore_support
from torch import Tensor
from torch.nn.functional import cross_entropy

from mtst.data.dataset import UNLABELLED, Dataset
from mtst.evaluation.scores import Confusion, LabelScores, Scores
from mtst.model.multitask import MultiTaskSentenceTransformer

BINS = 15  # of confidence, for the calibration error


def score(logits: Tensor, labels: Sequence[int] | Tensor) -> Scores | None:
    """Score logits (n, labels) against n label indices; nothing if no row has a label."""
    truth = torch.as_tensor(labels)
    known = truth != UNLABELLED
    if not known.any():
        return None
    logits, truth = logits.float().cpu()[known], truth[known]
    predicted = logits.argmax(dim=1)
    precision, recall, macro_f1, _ = precision_recall_fscore_support(truth, predicted, average="macro", zero_division=0)
    each = precision_recall_fscore_support(truth, predicted, labels=range(logits.shape[1]), zero_division=0)
    return Scores(
        rows=len(truth),
        loss=float(cross_entropy(logits, truth)),
        accuracy=float(accuracy_score(truth, predicted)),
        precision=float(precision),
        recall=float(recall),
        macro_f1=float(macro_f1),
        weighted_f1=float(f1_score(truth, predicted, average="weighted", zero_division=0)),
        calibration_error=_calibration_error(logits, truth),
        labels=tuple(LabelScores(int(n), float(p), float(r), float(f)) for p, r, f, n in zip(*each, strict=True)),
    )


def score_tasks(logits: dict[str, Tensor], data: Dataset) -> dict[str, Scores]:
    """Score each task that has logits, a row for each row of `data`, and a labelled row there."""
    tasks = [task.name for task in data.tasks if task.name in logits]
    scores = {name: score(logits[name], data.labels[name]) for name in tasks}
    return {name: found for name, found in scores.items() if found is not None}


def _calibration_error(logits: Tensor, truth: Tensor) -> float:
    sure, predicted = logits.softmax(dim=1).max(dim=1)
    bins = (sure * BINS).long().clamp(max=BINS - 1)
    off = torch.zeros(BINS).index_add(0, bins, sure - (predicted == truth).float())
    return float(off.abs().sum() / len(truth))


def confusion_matrices(logits: dict[str, Tensor], data: Dataset) -> dict[str, Confusion]:
    """Return for each task how many rows of each label (a row) were taken for each label (a column)."""
    found = {}
    for task in data.tasks:
        truth = torch.tensor(data.labels[task.name])
        known = truth != UNLABELLED
        predicted = logits[task.name].argmax(dim=1)[known]
        counts = confusion_matrix(truth[known], predicted, labels=range(len(task.labels))) if known.any() else []
        found[task.name] = tuple(tuple(map(int, row)) for row in counts)
    return found


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
