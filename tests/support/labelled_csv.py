"""A dataset as a CSV file, as a user would bring it."""

import csv
from pathlib import Path

from mtst import Dataset


def write_labelled_csv(path: Path, data: Dataset) -> Path:
    """Write the texts and a column of labels for each task, named like the task; return the path."""
    with path.open("w", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(["text", *(task.name for task in data.tasks)])
        for row, text in enumerate(data.texts):
            writer.writerow([text, *(task.labels[data.labels[task.name][row]] for task in data.tasks)])
    return path
