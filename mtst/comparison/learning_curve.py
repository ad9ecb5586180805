"""Would more data help: the score on ever more of the training rows, and where that leads.

A logistic regression on embeddings that are there already takes a moment for each point. To the points is fitted the
power law that learning curves follow as a rule, score = a - b * rows ** -c (Cortes, Jackel, Solla, Vapnik and Denker
1994).
"""

import time
import warnings

import numpy as np
from scipy.optimize import curve_fit

from mtst.comparison.events import LearningCurve
from mtst.data.dataset import Dataset
from mtst.evaluation.baselines import logistic
from mtst.evaluation.scores import mean_macro_f1

STEPS = 7  # numbers of rows, each about the same factor above the one before
FEWEST = 16
DRAWS = 5  # of the rows, at each number
MOST = 4_000  # rows: a regression on more takes too long here
REFITS = 200
FARTHER = (2, 4)  # times the rows that there are


def learning_curve(
    train: Dataset, embeddings: np.ndarray, test: Dataset, others: np.ndarray, seed: int = 0
) -> LearningCurve:
    """Return the learning curve of a logistic regression.

    Args:
        train: n rows to learn from.
        embeddings: theirs, (n, d).
        test: m rows to score on.
        others: theirs, (m, d).
        seed: fixes the draws.
    """
    start = time.perf_counter()
    dice = np.random.default_rng(seed)
    most = min(len(train), MOST)
    sizes = sorted({int(size) for size in np.geomspace(min(FEWEST, most), most, STEPS)})
    scores = []
    for size in sizes:
        draws = [dice.choice(len(train), size, replace=False) for _ in range(DRAWS if size < len(train) else 1)]
        scores.append(
            tuple(mean_macro_f1(logistic(train.take(rows), embeddings[rows], test, others)) for rows in draws)
        )
    projected = _projected(np.array(sizes), scores, len(train), dice)
    return LearningCurve(tuple(sizes), tuple(scores), projected, round(time.perf_counter() - start, 2))


def _projected(
    sizes: np.ndarray, scores: list[tuple[float, ...]], rows: int, dice: np.random.Generator
) -> dict[int, tuple[float, float, float]]:
    """Return the quantiles of where the curve leads, over fits to one draw of each number of rows."""
    if len(sizes) < 4 or sizes[-1] < 4 * sizes[0]:
        return {}
    ahead = np.array([rows * factor for factor in FARTHER], dtype=float)
    found = []
    for _ in range(REFITS):
        drawn = [dice.choice(values) for values in scores]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the covariance of the fit is not asked for
                law, _ = curve_fit(
                    power_law, sizes, drawn, p0=(max(drawn), 1.0, 0.5), bounds=([0, 0, 0.01], [1, 10, 3]), maxfev=2000
                )
        except RuntimeError:  # no fit for this draw
            continue
        found.append(power_law(ahead, *law))
    if len(found) < REFITS / 2:
        return {}
    low, middle, high = np.percentile(found, [5, 50, 95], axis=0)
    return {int(n): (float(a), float(b), float(c)) for n, a, b, c in zip(ahead, low, middle, high, strict=True)}


def power_law(rows: np.ndarray, a: float, b: float, c: float) -> np.ndarray:
    """Return the score (n,) at numbers of rows (n,)."""
    return a - b * np.power(rows.astype(float), -c)
