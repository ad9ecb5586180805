"""Would more data help: the score on more and more of the training rows, and its extrapolation.

A logistic regression on embeddings that have been computed already takes a moment for each point. The power law that
learning curves follow as a rule, score = a - b * rows ** -c, is fitted to the points (Cortes, Jackel, Solla, Vapnik and
Denker 1994).
"""

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import curve_fit

from mtst.comparison.events import LearningCurve
from mtst.data.dataset import Dataset
from mtst.evaluation.baselines import logistic
from mtst.evaluation.scores import mean_macro_f1

STEPS = 7  # numbers of rows, each about the same factor above the one before
MIN_ROWS = 16
DRAWS = 5  # of the rows, at each number
MAX_ROWS = 4_000  # a regression on more takes too long here
REFITS = 200
PROJECTED = (2, 4)  # times the rows that there are


@dataclass(frozen=True, eq=False)
class EmbeddedRows:
    """Rows to learn from and rows to score on, with their embeddings (n, d) and (m, d)."""

    train: Dataset
    train_embeddings: np.ndarray
    test: Dataset
    test_embeddings: np.ndarray


def learning_curve(parts: Sequence[EmbeddedRows], seed: int = 0) -> LearningCurve:
    """Return the learning curve of a logistic regression.

    Args:
        parts: one division of the rows, or several, each of which gives a score for each number of rows.
        seed: fixes the draws.
    """
    start = time.perf_counter()
    rng = np.random.default_rng(seed)
    rows = min(len(part.train) for part in parts)
    largest = min(rows, MAX_ROWS)
    sizes = sorted({int(size) for size in np.geomspace(min(MIN_ROWS, largest), largest, STEPS)})
    draws = max(1, DRAWS // len(parts))
    scores = [
        tuple(_score(part, size, rng) for part in parts for _ in range(draws if size < rows else 1)) for size in sizes
    ]
    projected = _project(np.array(sizes), scores, rows, rng)
    return LearningCurve(tuple(sizes), tuple(scores), projected, round(time.perf_counter() - start, 2))


def _score(part: EmbeddedRows, size: int, rng: np.random.Generator) -> float:
    """Return the mean macro-F1 of a regression on some of the rows."""
    rows = rng.choice(len(part.train), size, replace=False)
    scores = logistic(part.train.take(rows), part.train_embeddings[rows], part.test, part.test_embeddings)
    return mean_macro_f1(scores)


def _project(
    sizes: np.ndarray, scores: list[tuple[float, ...]], rows: int, rng: np.random.Generator
) -> dict[int, tuple[float, float, float]]:
    """Return quantiles of the extrapolated score, over fits to one draw of each number of rows."""
    if len(sizes) < 4 or sizes[-1] < 4 * sizes[0]:
        return {}
    targets = np.array([rows * factor for factor in PROJECTED], dtype=float)
    scores_ahead = []
    for _ in range(REFITS):
        drawn = [rng.choice(values) for values in scores]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the covariance of the fit is not needed
                law, _ = curve_fit(
                    power_law, sizes, drawn, p0=(max(drawn), 1.0, 0.5), bounds=([0, 0, 0.01], [1, 10, 3]), maxfev=2000
                )
        except RuntimeError:  # no fit for this draw
            continue
        scores_ahead.append(power_law(targets, *law))
    if len(scores_ahead) < REFITS / 2:
        return {}
    low, middle, high = np.percentile(scores_ahead, [5, 50, 95], axis=0)
    return {int(n): (float(a), float(b), float(c)) for n, a, b, c in zip(targets, low, middle, high, strict=True)}


def power_law(rows: np.ndarray, a: float, b: float, c: float) -> np.ndarray:
    """Return the score (n,) at numbers of rows (n,)."""
    return a - b * np.power(rows.astype(float), -c)
