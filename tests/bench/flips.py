"""Flip 5 % of the labels of each task at random and count how many of them are among the doubtful rows listed.

python -m tests.bench.flips FILE TEXT LABEL [LABEL ...]
"""

import random
import sys
from dataclasses import replace

from mtst.analysis.data_quality import LISTED_SHARE, suspicious_labels
from mtst.data.dataset import UNLABELLED, Dataset, make_dataset
from mtst.data.table import read_table
from mtst.encoders.loading import load_encoder

SHARE = 0.05


def flipped(data: Dataset, share: float, seed: int = 0) -> tuple[Dataset, dict[str, set[int]]]:
    """Return data with a share of each task's labels changed to another, and the rows that were changed, by task."""
    draw = random.Random(seed)  # noqa: S311 (a draw of rows, not a secret)
    labels = {name: list(values) for name, values in data.labels.items()}
    changed = {}
    for task in data.tasks:
        values = labels[task.name]
        labelled = [row for row, label in enumerate(values) if label != UNLABELLED]
        rows = draw.sample(labelled, round(share * len(labelled)))
        for row in rows:
            values[row] = (values[row] + draw.randrange(1, len(task.labels))) % len(task.labels)
        changed[task.name] = set(rows)
    return replace(data, labels={name: tuple(values) for name, values in labels.items()}), changed


def main(file: str, text: str, *labels: str) -> None:
    data, changed = flipped(make_dataset(read_table(file), text, labels), SHARE)
    findings = suspicious_labels(data, load_encoder().encode(data.texts))
    for task in data.tasks:
        listed = {finding.row for finding in findings if finding.task == task.name}
        flips = changed[task.name]
        hits = len(listed & flips)
        print(
            f"{task.name}: {len(flips):,} labels flipped, {hits:,} of them ({100 * hits / len(flips):.1f} %) among the "
            f"{len(listed):,} listed as doubtful (at most {100 * LISTED_SHARE:.0f} % of the labels)"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
