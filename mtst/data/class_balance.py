"""Two remedies for rare labels: weigh their rows more, or sample them more often."""

import random
from statistics import mean

from mtst.data.dataset import Dataset
from mtst.data.labels.sets import label_indices


def class_weights(data: Dataset) -> dict[str, list[float]]:
    """Return the weights of the labels of each task: rows / (labels x rows with the label).

    All labels have the same weight in total. In a multi-label task it is the rows without a label / those with it, so
    that both weigh the same. A label without rows has weight 1.
    """
    weights = {}
    for task in data.tasks:
        counts = list(data.counts(task).values())
        if task.multi:
            rows = data.labelled_rows(task)
            weights[task.name] = [max(1, rows - count) / count if count else 1.0 for count in counts]
            continue
        present = sum(count > 0 for count in counts)
        weights[task.name] = [sum(counts) / (present * count) if count else 1.0 for count in counts]
    return weights


def balanced_sample(data: Dataset, rng: random.Random) -> list[int]:
    """Sample as many rows as there are, with replacement, so that the labels of a task occur about equally often.

    The probability of a row is proportional to the mean of the weights of its labels; a row without labels weighs 1.
    """
    weights = class_weights(data)
    row_weights = []
    for row in range(len(data)):
        labels = (
            (task.name, label) for task in data.tasks for label in label_indices(task, data.labels[task.name][row])
        )
        row_weights.append(mean([weights[name][label] for name, label in labels] or [1.0]))
    return rng.choices(range(len(data)), row_weights, k=len(data))
