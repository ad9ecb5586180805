"""The rows of a CSV file that the app has written."""

import csv
from pathlib import Path


def rows_of(path: str | Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
