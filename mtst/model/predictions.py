"""TODO."""

from dataclasses import dataclass

import numpy as np

from mtst.data.tasks import Task


@dataclass(frozen=True, eq=False)
class Prediction:
    """What one head says of n sentences: `probabilities` (n, labels) and, of each row, the likeliest label."""

    task: Task
    probabilities: np.ndarray

    @property
    def labels(self) -> list[str]:
        return [self.task.labels[index] for index in self.probabilities.argmax(axis=1)]

    @property
    def confidences(self) -> list[float]:
        return [float(row.max()) for row in self.probabilities]
