"""The scores of a head as plain numbers, which events carry and the page shows."""

import math
from dataclasses import dataclass

FEW_HELD_OUT = 30  # rows; with fewer, an accuracy of 50 % has a standard error above 9 points
Confusion = tuple[tuple[int, ...], ...]  # how many rows of each label (row) were predicted as each label (column)


@dataclass(frozen=True)
class LabelScores:
    """The scores of one label, between 0 and 1, and the number of rows that carry it."""

    rows: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Scores:
    """The scores of one task on `rows` labelled rows, and those of each of its labels, in their order.

    Loss is the mean cross-entropy in nats; the others lie between 0 and 1. Precision, recall and macro-F1 are plain
    means over the labels that occur or are predicted; weighted F1 weights each label by how often it occurs. The
    calibration error is the mean distance between confidence and accuracy over 15 bins of confidence (Guo, Pleiss, Sun
    and Weinberger 2017, expected calibration error).

    In a multi-label task the loss of a row is the sum of the binary cross-entropies of all labels, accuracy is the
    share of rows whose labels are all right and no others predicted, and the calibration error is that of the
    probabilities of all labels. It has three scores more: micro-F1 counts all labels of all rows together, samples-F1
    is the mean over rows, and mean average precision does not depend on a threshold.
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
    micro_f1: float | None = None
    samples_f1: float | None = None
    mean_average_precision: float | None = None


def mean_macro_f1(scores: dict[str, Scores]) -> float:
    """Return the mean macro-F1 over the tasks, the one score that epochs are chosen by: every task counts the same."""
    return sum(scored.macro_f1 for scored in scores.values()) / len(scores) if scores else 0.0


def small_sample_caution(rows: int) -> str:
    """Return what scores on so few held-out rows are worth; an empty string if there are enough of them."""
    if rows >= FEW_HELD_OUT:
        return ""
    held_out = "1 row is" if rows == 1 else f"{rows} rows are"
    points = 100 / max(1, rows)
    return (
        f"Only {held_out} held out. Each is worth {points:.0f} points of accuracy, so scores may be chance. "
        "A comparison of scenarios judges by all rows in turn."
    )


def standard_error(scores: dict[str, Scores]) -> float:
    """Return an estimate of the standard error of the mean macro-F1: that of the accuracies on so many rows.

    Two rows that are right and two that are wrong are added (Agresti and Coull 1998, "Approximate is better than
    'exact' for interval estimation of binomial proportions"), so a few rows that are all right are not certain.
    """
    variance = 0.0
    for scored in scores.values():
        rows = scored.rows + 4
        share = (scored.accuracy * scored.rows + 2) / rows
        variance += share * (1 - share) / rows
    return math.sqrt(variance) / len(scores) if scores else 0.0
