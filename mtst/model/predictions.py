"""What a model predicts for some sentences."""

from dataclasses import dataclass

import numpy as np

from mtst.data.tasks import Task


@dataclass(frozen=True, eq=False)
class Prediction:
    """The predictions of one head for n sentences.

    Attributes:
        task: the task of the head.
        probabilities: (n, labels).
    """

    task: Task
    probabilities: np.ndarray

    @property
    def labels(self) -> list[str]:
        """The most likely label of each sentence."""
        return [self.task.labels[index] for index in self.probabilities.argmax(axis=1)]

    @property
    def confidences(self) -> list[float]:
        """The probability of the most likely label of each sentence."""
        return [float(row.max()) for row in self.probabilities]
