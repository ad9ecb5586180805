"""Baselines: scores that need no training of the encoder, which a run has to beat."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from mtst.data.dataset import Dataset
from mtst.data.labels.sets import is_labelled, multi_hot, to_masks
from mtst.data.tasks import Task
from mtst.evaluation.metrics import score_tasks
from mtst.evaluation.multi_label import best_threshold
from mtst.evaluation.scores import Scores

C = 10.0  # inverse regularization strength; embeddings have length 1, for which the usual 1 is too strong
MIN_LOGIT = -30.0  # of a label without a training row
MARGIN = 1e-4  # of a threshold below the frequency that has to reach it, for rounding
THRESHOLD_FOLDS = 5  # one of so many training rows chooses the threshold of a multi-label task


@dataclass(frozen=True, eq=False)
class Baseline:
    """What a baseline predicts for m rows.

    Attributes:
        logits: by task, (m, labels).
        tasks: the tasks, with the thresholds of those with several labels a row.
    """

    logits: dict[str, Tensor]
    tasks: tuple[Task, ...]


def majority(train: Dataset, held_out: Dataset) -> dict[str, Scores]:
    """Score always predicting the most frequent label of a task, with its frequency as confidence."""
    baseline = most_frequent(train, len(held_out))
    return score_tasks(baseline.logits, held_out, baseline.tasks)


def most_frequent(train: Dataset, rows: int) -> Baseline:
    """Return the frequency of the labels among the training rows as a prediction for m rows.

    The threshold of a multi-label task is one that only the most frequent label reaches.
    """
    logits, tasks = {}, []
    for task in train.tasks:
        counts = torch.tensor(list(train.counts(task).values()), dtype=torch.float32)
        share = counts / max(1, train.labelled_rows(task))
        prior = share.logit() if task.multi else share.log()
        logits[task.name] = prior.clamp(MIN_LOGIT, -MIN_LOGIT).expand(rows, -1)
        tasks.append(replace(task, threshold=float(share.max()) * (1 - MARGIN)))
    return Baseline(logits, tuple(tasks))


def logistic(
    train: Dataset, embeddings: np.ndarray, held_out: Dataset, held_out_embeddings: np.ndarray
) -> dict[str, Scores]:
    """Score a logistic regression for each task, fitted to embeddings (n, d) of the training rows.

    A task with fewer than two labels among them is absent.
    """
    baseline = logistic_regression(train, embeddings, held_out_embeddings)
    return score_tasks(baseline.logits, held_out, baseline.tasks)


def logistic_regression(train: Dataset, embeddings: np.ndarray, others: np.ndarray) -> Baseline:
    """Return what such a regression predicts for other embeddings (m, d).

    A multi-label task has one for each label; its threshold is chosen by a fifth of the training rows, from regressions
    that have not seen them.
    """
    logits, tasks = {}, list(train.tasks)
    for number, task in enumerate(train.tasks):
        known = is_labelled(train.labels[task.name])
        if task.multi:
            rows, matrix = embeddings[known], multi_hot(train.labels[task.name], len(task.labels))[known]
            logits[task.name] = _one_against_rest(rows, matrix, others)
            tasks[number] = _with_threshold(task, rows, matrix)
            continue
        labels = np.array(train.labels[task.name])
        if len(set(labels[known])) > 1:
            classifier = LogisticRegression(C=C, max_iter=1000).fit(embeddings[known], labels[known])
            logits[task.name] = _logits(classifier, others, len(task.labels))
    return Baseline(logits, tuple(tasks))


def score_together(parts: Sequence[Baseline], order: np.ndarray, judging: Dataset) -> dict[str, Scores]:
    """Return the scores of what was predicted for each fold, for the tasks that all folds have.

    Each fold has thresholds of its own, so the logits are shifted until all of them are 0.5.
    """
    names = [name for name in parts[0].logits if all(name in part.logits for part in parts)]
    logits = {name: torch.cat([_centred(part, name) for part in parts])[order] for name in names}
    return score_tasks(logits, judging)


def _centred(part: Baseline, name: str) -> Tensor:
    task = next(task for task in part.tasks if task.name == name)
    logits = part.logits[name]
    return logits - torch.tensor(task.threshold).logit() if task.multi else logits


def _with_threshold(task: Task, rows: np.ndarray, matrix: np.ndarray) -> Task:
    held_out = np.arange(len(rows)) % THRESHOLD_FOLDS == 0
    logits = _one_against_rest(rows[~held_out], matrix[~held_out], rows[held_out])
    return replace(task, threshold=best_threshold(task, logits, to_masks(matrix[held_out])))


def _one_against_rest(rows: np.ndarray, matrix: np.ndarray, others: np.ndarray) -> Tensor:
    """Return the logits (m, labels) of a regression for each column of a matrix (n, labels) of bools."""
    logits = np.full((len(others), matrix.shape[1]), MIN_LOGIT)
    for label, has_label in enumerate(matrix.T):
        if has_label.all():
            logits[:, label] = -MIN_LOGIT
        elif has_label.any():
            classifier = LogisticRegression(C=C, max_iter=1000).fit(rows, has_label)
            logits[:, label] = classifier.decision_function(others)
    return torch.from_numpy(logits).float()


def _logits(classifier: LogisticRegression, embeddings: np.ndarray, labels: int) -> Tensor:
    """Return log-probabilities (n, labels), also for labels that the classifier has not seen."""
    logits = np.full((len(embeddings), labels), MIN_LOGIT)
    logits[:, classifier.classes_] = classifier.predict_log_proba(embeddings).clip(min=MIN_LOGIT)
    return torch.from_numpy(logits)
