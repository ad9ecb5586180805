"""The scores of a head as plain numbers: what events carry and the page shows."""

import math
from dataclasses import dataclass

Confusion = tuple[tuple[int, ...], ...]  # how many rows of each label (a row) were taken for each label (a column)


@dataclass(frozen=True)
class LabelScores:
    """The scores of one label: the rows that carry it, and shares between 0 and 1."""

    rows: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Scores:
    """The scores of one task over `rows` labelled rows, and those of each of its labels, in their order.

    Loss is the mean cross-entropy in nats; the others lie between 0 and 1. Precision, recall and macro-F1 are plain
    means over the labels that occur or are predicted; weighted F1 weighs each label by how often it occurs. The
    calibration error is the mean distance between confidence and accuracy over 15 bins of confidence (Guo, Pleiss, Sun
    and Weinberger 2017, expected calibration error).
    """

    rows: int
    loss: float
    accuracy: float
    precision: float
    recall: float
    macro_f1: float
    weighted_f1: float
    calibration_error: float
    labels: tuple[LabelScores, ...] = ()


def mean_macro_f1(scores: dict[str, Scores]) -> float:
    """The one figure that stands for all: the mean over the tasks, so that a small task counts as much."""
    return sum(found.macro_f1 for found in scores.values()) / len(scores) if scores else 0.0


def standard_error(scores: dict[str, Scores]) -> float:
    """Return about how far the mean macro-F1 is off by chance: the standard error of shares of so many rows."""
    variance = sum(found.accuracy * (1 - found.accuracy) / found.rows for found in scores.values() if found.rows)
    return math.sqrt(variance) / len(scores) if scores else 0.0
