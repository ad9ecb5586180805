"""How certain a difference of scores is, given that other test rows and seeds might have been drawn.

Rows and seeds are drawn again and again with replacement (the bootstrap, Efron 1979), the same rows for both sides, as
both were tested on the same (Koehn 2004, paired bootstrap resampling).
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from mtst.data.dataset import UNLABELLED

DRAWS = 2_000
LOW, HIGH = 5, 95  # per cent: the bounds of an interval

Predicted = Mapping[str, Sequence[int]]  # by task, a label index for each row


def macro_f1_draws(
    truth: Predicted, predicted: Sequence[Predicted], counts: np.ndarray, seeds: np.ndarray
) -> np.ndarray:
    """Return the mean macro-F1 over tasks (draws,) of each draw of rows and seeds.

    Args:
        truth: the label of each of n rows for each task, `UNLABELLED` where there is none.
        predicted: for each of s seeds, the same of what was predicted.
        counts: how often each row was drawn (draws, n).
        seeds: the share of each seed in each draw (draws, s).
    """
    scores = np.zeros((len(counts), len(predicted)))
    for number, labels in enumerate(predicted):
        tasks = [name for name in labels if any(label != UNLABELLED for label in truth[name])]
        scores[:, number] = np.mean([_macro_f1(truth[name], labels[name], counts) for name in tasks], axis=0)
    return (scores * seeds).sum(axis=1)


def _macro_f1(truth: Sequence[int], predicted: Sequence[int], counts: np.ndarray) -> np.ndarray:
    """Return the macro-F1 (draws,) over the labels that occur in a draw, or are predicted there."""
    y_true, y_pred = np.asarray(truth), np.asarray(predicted)
    labelled = y_true != UNLABELLED
    y_true, y_pred, counts = y_true[labelled], y_pred[labelled], counts[:, labelled]
    labels = np.union1d(y_true, y_pred)
    is_true = (y_true[:, None] == labels).astype(np.float64)
    is_predicted = (y_pred[:, None] == labels).astype(np.float64)
    true_positives = counts @ (is_true * is_predicted)
    total = counts @ (is_true + is_predicted)
    occurring = (total > 0).sum(axis=1).clip(min=1)
    return (2 * true_positives / total.clip(min=1)).sum(axis=1) / occurring


@lru_cache(maxsize=4)
def bootstrap_draws(rows: int, seeds: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return draws of rows (DRAWS, rows) and seeds (DRAWS, seeds) for `macro_f1_draws`; the first is all, once each."""
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(rows, np.full(rows, 1 / rows), size=DRAWS).astype(np.float64)
    shares = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=DRAWS) / seeds
    counts[0], shares[0] = 1.0, 1 / seeds
    counts.flags.writeable = shares.flags.writeable = False  # callers share them
    return counts, shares


def interval(values: np.ndarray) -> tuple[float, float]:
    """Return the bounds of the middle 90 % of the draws."""
    low, high = np.percentile(values, [LOW, HIGH])
    return float(low), float(high)
