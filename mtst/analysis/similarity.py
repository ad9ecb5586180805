"""Cosine similarity: the matrix, the extreme pairs, and a query ranked against sentences."""

from collections.abc import Sequence

import numpy as np

Pair = tuple[int, int, float]
ROWS_AT_ONCE = 1_000  # of a matrix of cosines that is never held whole


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
    pairs = sorted_pairs(cosines)
    near = pairs[: min(count, (len(pairs) + 1) // 2)]
    far = pairs[len(near) :][::-1][:count]
    return near, far


def changed_pairs(before: np.ndarray, after: np.ndarray, count: int = 10) -> list[Pair]:
    """Return the pairs (i < j, change) whose cosine differs most between two matrices (n, n), the largest first."""
    changes = after - before
    return [(i, j, float(changes[i, j])) for i, j, _ in sorted_pairs(np.abs(changes))[:count]]


def sorted_pairs(values: np.ndarray) -> list[Pair]:
    """Return all pairs of a symmetric matrix, the largest value first."""
    rows, columns = np.triu_indices(len(values), k=1)
    order = np.argsort(-values[rows, columns], kind="stable")
    found = zip(rows[order], columns[order], values[rows, columns][order], strict=True)
    return [(int(i), int(j), float(value)) for i, j, value in found]


def rank(query: np.ndarray, rows: np.ndarray) -> list[tuple[int, float]]:
    """Return the place and cosine of each of n rows (n, d), the nearest to a query (d,) first."""
    return search(query, unit(rows), len(rows))


def search(query: np.ndarray, unit_rows: np.ndarray, count: int = 20) -> list[tuple[int, float]]:
    """Return the place and cosine of the `count` rows nearest to a query (d,), the nearest first.

    The rows (n, d) must have length 1 (`unit`), so that a search through many takes one product.
    """
    cosines = np.clip(unit_rows @ unit(query[None])[0], -1.0, 1.0)
    count = min(count, len(cosines))
    if not count:
        return []
    # Of those as near as the last one, the first in order are taken.
    least = np.partition(cosines, len(cosines) - count)[len(cosines) - count]
    places = np.flatnonzero(cosines >= least)
    places = places[np.argsort(-cosines[places], kind="stable")][:count]
    return [(int(place), float(cosines[place])) for place in places]


def neighbours(rows: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the places and the cosines (n, count) of the nearest of n rows (n, d) to each, itself first."""
    scaled = unit(rows)
    places = np.empty((len(rows), count), dtype=np.int64)
    cosines = np.empty((len(rows), count), dtype=scaled.dtype)
    for first in range(0, len(rows), ROWS_AT_ONCE):
        part = scaled[first : first + ROWS_AT_ONCE] @ scaled.T
        own = np.arange(len(part))
        part[own, first + own] = 2.0  # copies are as near as oneself
        found = np.argpartition(part, part.shape[1] - count, axis=1)[:, part.shape[1] - count :]
        values = np.take_along_axis(part, found, axis=1)
        order = np.argsort(-values, axis=1, kind="stable")
        places[first : first + len(part)] = np.take_along_axis(found, order, axis=1)
        cosines[first : first + len(part)] = np.take_along_axis(values, order, axis=1).clip(-1.0, 1.0)
    return places, cosines


def distinct(sentences: Sequence[str]) -> list[str]:
    """Return the sentences without blanks at the ends, without empty ones and without repetitions, in order."""
    return list(dict.fromkeys(filter(None, (sentence.strip() for sentence in sentences))))
