"""What can be done about rare labels: weigh their rows more, or draw them more often."""

import random
from statistics import mean

from mtst.data.dataset import UNLABELLED, Dataset


def class_weights(data: Dataset) -> dict[str, list[float]]:
    """Return for each task the weight of each label: rows / (labels x rows with the label), so that all weigh alike.

    A label without a row weighs 1.
    """
    weights = {}
    for task in data.tasks:
        counts = list(data.counts(task).values())
        present = sum(count > 0 for count in counts)
        weights[task.name] = [sum(counts) / (present * count) if count else 1.0 for count in counts]
    return weights


def balanced_sample(data: Dataset, order: random.Random) -> list[int]:
    """Draw as many places as there are rows, with replacement, so that the labels of a task come about as often.

    A row with labels of several tasks is drawn as often as their weights are on average.
    """
    weights = class_weights(data)
    chances = [
        mean([weights[name][labels[row]] for name, labels in data.labels.items() if labels[row] != UNLABELLED] or [0])
        for row in range(len(data))
    ]
    return order.choices(range(len(data)), chances, k=len(data))
