"""Two remedies for rare labels: weigh their rows more, or sample them more often."""

import random
from statistics import mean

from mtst.data.dataset import UNLABELLED, Dataset


def class_weights(data: Dataset) -> dict[str, list[float]]:
    """Return the weights of the labels of each task: rows / (labels x rows with the label).

    All labels have the same weight in total. A label without rows has weight 1.
    """
    weights = {}
    for task in data.tasks:
        counts = list(data.counts(task).values())
        present = sum(count > 0 for count in counts)
        weights[task.name] = [sum(counts) / (present * count) if count else 1.0 for count in counts]
    return weights


def balanced_sample(data: Dataset, rng: random.Random) -> list[int]:
    """Sample as many rows as there are, with replacement, so that the labels of a task occur about equally often.

    The probability of a row is proportional to the mean of its class weights over the tasks.
    """
    weights = class_weights(data)
    row_weights = [
        mean([weights[name][labels[row]] for name, labels in data.labels.items() if labels[row] != UNLABELLED] or [0])
        for row in range(len(data))
    ]
    return rng.choices(range(len(data)), row_weights, k=len(data))
