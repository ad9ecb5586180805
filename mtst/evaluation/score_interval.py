"""How certain a macro-F1 is, given that other held-out rows might have been drawn.

The rows themselves are not needed: a label's true positives, false negatives and false positives follow from its
scores, and each count is drawn again from a Poisson distribution around it (Hanley and MacGibbon 2006, Poisson
bootstrap).
"""

import numpy as np

from mtst.evaluation.scores import Scores

DRAWS = 1_000
BOUNDS = (2.5, 97.5)  # per cent: an interval of 95 %


def macro_f1_draws(scores: Scores, seed: int = 0) -> np.ndarray:
    """Return the macro-F1 (DRAWS,) of rows drawn again, between 0 and 1; `seed` makes draws independent."""
    rows, recall, precision = (
        np.array([getattr(label, name) for label in scores.labels], dtype=np.float64)
        for name in ("rows", "recall", "precision")
    )
    hits = rows * recall
    false_positives = np.where(precision > 0, hits / np.where(precision > 0, precision, 1.0) - hits, 0.0)
    rng = np.random.default_rng(seed)
    drawn_hits, drawn_misses, drawn_false = (
        rng.poisson(np.maximum(counts, 0.0), size=(DRAWS, len(rows))) for counts in (hits, rows - hits, false_positives)
    )
    total = 2 * drawn_hits + drawn_misses + drawn_false
    occurring = (total > 0).sum(axis=1).clip(min=1)
    draws: np.ndarray = (2 * drawn_hits / total.clip(min=1)).sum(axis=1) / occurring
    return draws


def macro_f1_interval(scores: Scores) -> tuple[float, float]:
    """Return the bounds of the 95 % interval of a macro-F1; the score itself where its labels are not known."""
    if not scores.labels:
        return scores.macro_f1, scores.macro_f1
    low, high = np.percentile(_centred(scores, seed=0), BOUNDS).clip(0.0, 1.0)
    return float(low), float(high)


def gain_interval(scores: Scores, baseline: Scores) -> tuple[float, float]:
    """Return the bounds of the 95 % interval of `scores` minus `baseline`, in macro-F1.

    Both are drawn by themselves, though they were measured on the same rows, so the interval is rather too wide.
    """
    if not scores.labels or not baseline.labels:
        gain = scores.macro_f1 - baseline.macro_f1
        return gain, gain
    low, high = np.percentile(_centred(scores, seed=0) - _centred(baseline, seed=1), BOUNDS)
    return float(low), float(high)


def _centred(scores: Scores, seed: int) -> np.ndarray:
    """Return draws around the score that was measured: a rare label that is drawn zero times would shift their mean."""
    draws = macro_f1_draws(scores, seed)
    return draws - draws.mean() + scores.macro_f1
