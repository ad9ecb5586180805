"""What the logits of a head mean, by the kind of its task: probabilities, the labels predicted, and targets to learn.

A single-label task has a softmax over its labels and predicts the most probable one. A multi-label task has a sigmoid
for each label and predicts all labels whose probability reaches the task's threshold.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from mtst.data.dataset import UNLABELLED
from mtst.data.labels.sets import is_labelled, multi_hot, to_masks
from mtst.data.tasks import Task


def probabilities(task: Task, logits: Tensor) -> Tensor:
    """Return the probabilities of logits, both (n, labels)."""
    return logits.sigmoid() if task.multi else logits.softmax(dim=1)


def predicted_values(task: Task, probabilities: np.ndarray) -> tuple[int, ...]:
    """Return what is predicted with probabilities (n, labels), as `Dataset.labels` holds the labels of n rows."""
    if task.multi:
        return to_masks(probabilities >= task.threshold)
    return tuple(probabilities.argmax(axis=1).tolist())


def targets(task: Task, values: Sequence[int], device: torch.device | None = None) -> Tensor:
    """Return the labels of n rows as a tensor to learn from.

    Args:
        task: the task.
        values: as `Dataset.labels` holds them.
        device: where the tensor is wanted.

    Returns:
        The label indices (n,), -1 where a row is not labelled; of a multi-label task zeros and ones (n, labels), -1 in
        all of a row that is not labelled.
    """
    if not task.multi:
        return torch.tensor(values, dtype=torch.long, device=device)
    matrix = multi_hot(values, len(task.labels)).astype(np.float32)
    matrix[~is_labelled(values)] = UNLABELLED
    return torch.from_numpy(matrix).to(device)


def is_target(target: Tensor) -> Tensor:
    """Return for each row of a target whether it is labelled (n,)."""
    first = target if target.dim() == 1 else target[:, 0]
    return first >= 0
