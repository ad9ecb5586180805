"""How sure a difference of scores is: the rows that were tested, and the seeds, might have been others.

Rows and seeds are drawn again and again with replacement (the bootstrap, Efron 1979), the same rows for both sides, as
both were tested on the same (Koehn 2004, paired bootstrap resampling).
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from mtst.data.dataset import UNLABELLED

DRAWS = 2_000
LOW, HIGH = 5, 95  # per cent: the bounds that a difference is said to lie between

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
    for number, each in enumerate(predicted):
        tasks = [name for name in each if any(label != UNLABELLED for label in truth[name])]
        scores[:, number] = np.mean([_macro_f1(truth[name], each[name], counts) for name in tasks], axis=0)
    return (scores * seeds).sum(axis=1)


def _macro_f1(truth: Sequence[int], predicted: Sequence[int], counts: np.ndarray) -> np.ndarray:
    """Return the macro-F1 (draws,) over the labels that occur in a draw, or are predicted there."""
    there, said = np.asarray(truth), np.asarray(predicted)
    known = there != UNLABELLED
    there, said, counts = there[known], said[known], counts[:, known]
    labels = np.union1d(there, said)
    is_there = (there[:, None] == labels).astype(np.float64)
    is_said = (said[:, None] == labels).astype(np.float64)
    right = counts @ (is_there * is_said)
    either = counts @ (is_there + is_said)
    occurs = (either > 0).sum(axis=1).clip(min=1)
    return (2 * right / either.clip(min=1)).sum(axis=1) / occurs


@lru_cache(maxsize=4)
def draws_of(rows: int, seeds: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return draws of rows (DRAWS, rows) and seeds (DRAWS, seeds) for `macro_f1_draws`; the first is all, once each."""
    dice = np.random.default_rng(seed)
    counts = dice.multinomial(rows, np.full(rows, 1 / rows), size=DRAWS).astype(np.float64)
    shares = dice.multinomial(seeds, np.full(seeds, 1 / seeds), size=DRAWS) / seeds
    counts[0], shares[0] = 1.0, 1 / seeds
    counts.flags.writeable = shares.flags.writeable = False  # all who ask share them
    return counts, shares


def interval(values: np.ndarray) -> tuple[float, float]:
    """Return the bounds between which nine tenths of the draws lie."""
    low, high = np.percentile(values, [LOW, HIGH])
    return float(low), float(high)
