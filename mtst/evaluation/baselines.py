"""What is reached without training: the scores that a run has to beat."""

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from mtst.data.dataset import UNLABELLED, Dataset
from mtst.evaluation.metrics import score_tasks
from mtst.evaluation.scores import Scores

C = 10.0  # how weakly the regression is held back; embeddings have length 1, for which the usual 1 is too strong
NEVER = -30.0  # the logit of a label that was not seen


def majority(train: Dataset, held_out: Dataset) -> dict[str, Scores]:
    """Score always answering with the most frequent label of a task, as sure as it is frequent."""
    logits = {}
    for task in train.tasks:
        counts = torch.tensor(list(train.counts(task).values()), dtype=torch.float32)
        prior = (counts / counts.sum().clamp(min=1)).log().clamp(min=NEVER)
        logits[task.name] = prior.expand(len(held_out), -1)
    return score_tasks(logits, held_out)


def logistic(train: Dataset, embeddings: np.ndarray, held_out: Dataset, others: np.ndarray) -> dict[str, Scores]:
    """Score a logistic regression for each task, fitted to embeddings (n, d) of the training rows.

    A task with fewer than two labels among them is absent.
    """
    logits = {}
    for task in train.tasks:
        labels = np.array(train.labels[task.name])
        known = labels != UNLABELLED
        if len(set(labels[known])) > 1:
            logits[task.name] = _regression(embeddings[known], labels[known], others, len(task.labels))
    return score_tasks(logits, held_out)


def _regression(rows: np.ndarray, labels: np.ndarray, others: np.ndarray, count: int) -> Tensor:
    found = LogisticRegression(C=C, max_iter=1000).fit(rows, labels)
    logits = np.full((len(others), count), NEVER)
    logits[:, found.classes_] = found.predict_log_proba(others).clip(min=NEVER)
    return torch.from_numpy(logits)
