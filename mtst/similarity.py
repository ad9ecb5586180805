"""Cosine similarity: the matrix, the extreme pairs, and a query ranked against sentences."""

from collections.abc import Sequence

import numpy as np

Pair = tuple[int, int, float]


def cosine(a: np.ndarray, b: np.ndarray | None = None) -> np.ndarray:
    """Return the cosines (n, m), from -1 to 1, of the rows of `a` (n, d) with those of `b` (m, d), or of `a` itself."""
    left = unit(a)
    right = left if b is None else unit(b)
    return np.clip(left @ right.T, -1.0, 1.0)


def unit(rows: np.ndarray) -> np.ndarray:
    """Return rows (n, d) scaled to length 1; a row of zeros stays as it is."""
    return rows / np.linalg.norm(rows, axis=1, keepdims=True).clip(min=1e-12)


def extreme_pairs(cosines: np.ndarray, count: int = 5) -> tuple[list[Pair], list[Pair]]:
    """Return the closest and the farthest pairs (i < j, cosine) of a matrix (n, n), at most `count` of each.

    With few pairs none is in both lists: the closest come first.
    """
    rows, columns = np.triu_indices(len(cosines), k=1)
    order = np.argsort(-cosines[rows, columns], kind="stable")
    pairs = [(int(rows[k]), int(columns[k]), float(cosines[rows[k], columns[k]])) for k in order]
    near = pairs[: min(count, (len(pairs) + 1) // 2)]
    far = pairs[len(near) :][::-1][:count]
    return near, far


def rank(query: np.ndarray, rows: np.ndarray) -> list[tuple[int, float]]:
    """Return the place and cosine of each of n rows (n, d), the nearest to a query (d,) first."""
    cosines = cosine(query[None], rows)[0]
    return [(int(place), float(cosines[place])) for place in np.argsort(-cosines, kind="stable")]


def distinct(sentences: Sequence[str]) -> list[str]:
    """Return the sentences without blanks at the ends, without empty ones and without repetitions, in order."""
    return list(dict.fromkeys(filter(None, (sentence.strip() for sentence in sentences))))
