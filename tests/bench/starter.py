"""How well the starter heads do on sentences that nobody of this project wrote.

python -m tests.bench.starter FILE.csv TEXT_COLUMN LABEL_COLUMN TASK
    the labels of the column must be among those of the task (sentiment or topic); other rows are left out
"""

import os
import sys

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import numpy as np
from sklearn.metrics import balanced_accuracy_score

from mtst.assets import STARTER
from mtst.data.table import read_table
from mtst.model.loading import load_model


def main(path: str, text: str, label: str, task_name: str) -> None:
    table = read_table(path)
    model = load_model(STARTER)
    task = next(task for task in model.tasks if task.name == task_name)
    rows = list(zip(table.column(text), (cell.strip().lower() for cell in table.column(label)), strict=True))
    known = [(sentence, name) for sentence, name in rows if name in task.labels and sentence.strip()]
    probabilities = model.predict([sentence for sentence, _ in known])[task_name].probabilities
    truth = np.array([task.labels.index(name) for _, name in known])
    print(f"{len(known):,} of {len(rows):,} rows, labels {', '.join(sorted({name for _, name in known}))}")
    report("all its labels", truth, probabilities)
    if task_name == "sentiment":
        two = [task.labels.index("negative"), task.labels.index("positive")]
        sure = np.isin(truth, two)
        report("negative or positive", np.searchsorted(two, truth[sure]), probabilities[sure][:, two])


def report(name: str, truth: np.ndarray, probabilities: np.ndarray) -> None:
    predicted = probabilities.argmax(axis=1)
    print(
        f"{name:22} accuracy {np.mean(predicted == truth):.3f}, "
        f"balanced {balanced_accuracy_score(truth, predicted):.3f}, rows {len(truth):,}"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
