"""Baselines: scores that need no training of the encoder, which a run has to beat."""

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from mtst.data.dataset import UNLABELLED, Dataset
from mtst.evaluation.metrics import score_tasks
from mtst.evaluation.scores import Scores

C = 10.0  # inverse regularization strength; embeddings have length 1, for which the usual 1 is too strong
MIN_LOGIT = -30.0  # of a label without a training row


def majority(train: Dataset, held_out: Dataset) -> dict[str, Scores]:
    """Score always predicting the most frequent label of a task, with its frequency as confidence."""
    return score_tasks(majority_logits(train, len(held_out)), held_out)


def majority_logits(train: Dataset, rows: int) -> dict[str, Tensor]:
    """Return for each task the log-frequency of its labels among the training rows, for each of n rows (n, labels)."""
    logits = {}
    for task in train.tasks:
        counts = torch.tensor(list(train.counts(task).values()), dtype=torch.float32)
        prior = (counts / counts.sum().clamp(min=1)).log().clamp(min=MIN_LOGIT)
        logits[task.name] = prior.expand(rows, -1)
    return logits


def logistic(
    train: Dataset, embeddings: np.ndarray, held_out: Dataset, held_out_embeddings: np.ndarray
) -> dict[str, Scores]:
    """Score a logistic regression for each task, fitted to embeddings (n, d) of the training rows.

    A task with fewer than two labels among them is absent.
    """
    return score_tasks(logistic_logits(train, embeddings, held_out_embeddings), held_out)


def logistic_logits(train: Dataset, embeddings: np.ndarray, others: np.ndarray) -> dict[str, Tensor]:
    """Return the logits (m, labels) of such a regression for other embeddings (m, d)."""
    logits = {}
    for task in train.tasks:
        labels = np.array(train.labels[task.name])
        known = labels != UNLABELLED
        if len(set(labels[known])) > 1:
            classifier = LogisticRegression(C=C, max_iter=1000).fit(embeddings[known], labels[known])
            logits[task.name] = _logits(classifier, others, len(task.labels))
    return logits


def _logits(classifier: LogisticRegression, embeddings: np.ndarray, labels: int) -> Tensor:
    """Return log-probabilities (n, labels), also for labels that the classifier has not seen."""
    logits = np.full((len(embeddings), labels), MIN_LOGIT)
    logits[:, classifier.classes_] = classifier.predict_log_proba(embeddings).clip(min=MIN_LOGIT)
    return torch.from_numpy(logits)
