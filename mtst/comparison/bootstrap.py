"""How certain a difference of scores is, given that other test rows and seeds might have been drawn.

Rows and seeds are drawn again and again with replacement (the bootstrap, Efron 1979), the same rows for both sides, as
both were tested on the same (Koehn 2004, paired bootstrap resampling).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mtst.data.labels.sets import is_labelled, multi_hot
from mtst.data.tasks import Task
from mtst.evaluation.f1 import macro_f1
from mtst.evaluation.scores import Scores

DRAWS = 2_000
LOW, HIGH = 5, 95  # per cent: the bounds of an interval

# Bounds from drawing rows alone are too narrow in cross-validation: with other training rows the difference would have
# been another, and the training rows of the folds overlap, so their number hides it. The variance of a mean of J folds
# is about 1/J + n_test/n_train times that between folds, not 1/J (Nadeau and Bengio 2003): for five folds 0.45 instead
# of 0.2, so bounds 1.5 times as far. Measured with `python -m tests.bench.coverage`, 1,888 intervals of 90 % on 8 sets:
# 75 to 78 % hold the truth without a correction, 89 to 90 % with 1.5, 91 to 92 % with 1.6 (100 and 300 rows).
FOLD_WIDENING = 1.6

Labels = Mapping[str, Sequence[int]]  # by task, what `Dataset.labels` holds


@dataclass(frozen=True)
class Prediction:
    """What was predicted with one seed.

    Attributes:
        labels: by task, the label of each row that was predicted.
        rows: the indices of these rows; None for all, in their order.
        scores: those of the prediction, where they are known.
    """

    labels: Labels
    rows: Sequence[int] | None = None
    scores: Mapping[str, Scores] | None = None


def macro_f1_by_task(tasks: Sequence[Task], truth: Labels, prediction: Prediction) -> dict[str, float]:
    """Return the macro-F1 of each task for which a predicted row has a label in `truth`."""
    scores = {}
    for task in tasks:
        if task.name in prediction.labels:
            actual = _rows_of(truth[task.name], prediction)
            if is_labelled(actual).any():
                (score,) = _macro_f1(task, actual, prediction.labels[task.name], np.ones((1, len(actual))))
                scores[task.name] = float(score)
    return scores


def macro_f1_draws(
    tasks: Sequence[Task], truth: Labels, predictions: Sequence[Prediction], counts: np.ndarray, seeds: np.ndarray
) -> np.ndarray:
    """Return the mean macro-F1 over tasks (draws,) of each draw of rows and seeds.

    Args:
        tasks: the tasks.
        truth: the labels of each of n rows for each task, as `Dataset.labels` holds them.
        predictions: what was predicted with each of s seeds.
        counts: how often each row was drawn (draws, n).
        seeds: the share of each seed in each draw (draws, s).
    """
    scores = np.zeros((len(counts), len(predictions)))
    for number, one in enumerate(predictions):
        drawn = counts if one.rows is None else counts[:, list(one.rows)]
        actual = {task: _rows_of(truth[task.name], one) for task in tasks if task.name in one.labels}
        scores[:, number] = np.mean(
            [
                _macro_f1(task, values, one.labels[task.name], drawn)
                for task, values in actual.items()
                if is_labelled(values).any()
            ],
            axis=0,
        )
    return (scores * seeds).sum(axis=1)


def _rows_of(labels: Sequence[int], prediction: Prediction) -> Sequence[int]:
    """Return the labels of the rows that were predicted."""
    return labels if prediction.rows is None else [labels[row] for row in prediction.rows]


def _macro_f1(task: Task, truth: Sequence[int], predicted: Sequence[int], counts: np.ndarray) -> np.ndarray:
    """Return the macro-F1 (draws,) over the labels that occur in a draw, or are predicted there."""
    labelled = is_labelled(truth)
    is_true, is_predicted = (_has_label(task, values)[labelled] for values in (truth, predicted))
    counts = counts[:, labelled]
    return macro_f1(counts @ (is_true * is_predicted), counts @ (is_true + is_predicted))


def _has_label(task: Task, values: Sequence[int]) -> np.ndarray:
    """Return for each row and label whether the row has it, as 0 and 1 (n, labels)."""
    if task.multi:
        return multi_hot(values, len(task.labels)).astype(np.float64)
    return (np.asarray(values)[:, None] == np.arange(len(task.labels))).astype(np.float64)


@lru_cache(maxsize=4)
def bootstrap_draws(rows: int, seeds: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return draws of rows (DRAWS, rows) and seeds (DRAWS, seeds) for `macro_f1_draws`; the first is all, once each."""
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(rows, np.full(rows, 1 / rows), size=DRAWS).astype(np.float64)
    shares = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=DRAWS) / seeds
    counts[0], shares[0] = 1.0, 1 / seeds
    counts.flags.writeable = shares.flags.writeable = False  # callers share them
    return counts, shares


def widen(values: np.ndarray, folds: int) -> np.ndarray:
    """Return draws of a difference, the first of them being the one measured, corrected for cross-validation."""
    return values if folds == 1 else values[0] + FOLD_WIDENING * (values - values[0])


def interval(values: np.ndarray) -> tuple[float, float]:
    """Return the bounds of the middle 90 % of the draws."""
    low, high = np.percentile(values, [LOW, HIGH])
    return float(low), float(high)
