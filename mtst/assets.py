"""Paths of the files that ship with the project."""

import csv
from functools import cache
from pathlib import Path

ASSETS = Path(__file__).resolve().parent.parent / "assets"
STARTER = "starter"  # the name of the bundled model
STARTER_FOLDER = ASSETS / "starter"
SAMPLE = ASSETS / "sample.csv"
SMALL_SAMPLE = ASSETS / "sample-small.csv"  # the first rows of the sample
STS_PAIRS = ASSETS / "pairs.csv"
KNOWN_RESULTS = ASSETS / "known_results.csv"


@cache
def load_sts_pairs() -> tuple[tuple[str, ...], tuple[str, ...], tuple[float, ...]]:
    """Return pairs of sentences graded by their similarity: the first sentences, the second ones, the grades."""
    with STS_PAIRS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    first, second = (tuple(row[name] for row in rows) for name in ("first", "second"))
    return first, second, tuple(float(row["similarity"]) for row in rows)
