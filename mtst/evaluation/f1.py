"""F1, computed from counts: the one formula behind the scores, their draws and the scores of slices."""

import numpy as np


def f1_scores(common: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Return the F1 of each count; 0 where there is nothing to count.

    Args:
        common: how many items are both true and predicted.
        total: how many are true plus how many are predicted, of the same shape; whole numbers.
    """
    return np.asarray(2 * common / total.clip(min=1))


def macro_f1(common: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Return the mean F1 (...,) over the labels of counts (..., labels) that occur or are predicted; 0 if none is."""
    return np.asarray(f1_scores(common, total).sum(axis=-1) / (total > 0).sum(axis=-1).clip(min=1))
