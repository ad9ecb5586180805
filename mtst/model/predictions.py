"""What a model predicts for some sentences."""

from dataclasses import dataclass

import numpy as np

from mtst.data.labels.sets import SEPARATOR, label_indices
from mtst.data.tasks import Task
from mtst.model.outputs import predicted_values


@dataclass(frozen=True, eq=False)
class Prediction:
    """The predictions of one head for n sentences.

    Attributes:
        task: the task of the head.
        probabilities: (n, labels). Those of a sentence add up to 1, but not in a multi-label task.
    """

    task: Task
    probabilities: np.ndarray

    @property
    def label_sets(self) -> list[tuple[str, ...]]:
        """The labels of each sentence: the most likely one, or all that reach the threshold of a multi-label task."""
        values = predicted_values(self.task, self.probabilities)
        return [tuple(self.task.labels[index] for index in label_indices(self.task, value)) for value in values]

    @property
    def labels(self) -> list[str]:
        """The label of each sentence; those of a multi-label task joined, the empty string where there is none."""
        return [SEPARATOR.join(labels) for labels in self.label_sets]

    @property
    def confidences(self) -> list[float]:
        """The probability of the most likely label of each sentence."""
        return [float(row.max()) for row in self.probabilities]
