"""Cosine similarity: the matrix, its extreme pairs, and nearest-neighbour search."""

from collections.abc import Sequence

import numpy as np

Pair = tuple[int, int, float]
CHUNK_ROWS = 1_000  # of a matrix of cosines that is never held whole


def cosine(a: np.ndarray, b: np.ndarray | None = None) -> np.ndarray:
    """Return the cosines (n, m), from -1 to 1, of the rows of `a` (n, d) with those of `b` (m, d), or of `a` itself."""
    left = normalize_rows(a)
    right = left if b is None else normalize_rows(b)
    return np.clip(left @ right.T, -1.0, 1.0)


def normalize_rows(rows: np.ndarray) -> np.ndarray:
    """Return rows (n, d) scaled to length 1; a row of zeros stays as it is."""
    normalized: np.ndarray = rows / np.linalg.norm(rows, axis=1, keepdims=True).clip(min=1e-12)
    return normalized


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
    """Return all pairs (i < j, value) of a symmetric matrix (n, n), the largest value first."""
    rows, columns = np.triu_indices(len(values), k=1)
    order = np.argsort(-values[rows, columns], kind="stable")
    pairs = zip(rows[order], columns[order], values[rows, columns][order], strict=True)
    return [(int(i), int(j), float(value)) for i, j, value in pairs]


def rank_by_cosine(query: np.ndarray, rows: np.ndarray) -> list[tuple[int, float]]:
    """Return the index and cosine of each of n rows (n, d), the nearest to a query (d,) first."""
    return search(query, normalize_rows(rows), len(rows))


def search(query: np.ndarray, unit_rows: np.ndarray, count: int = 20) -> list[tuple[int, float]]:
    """Return the index and cosine of the `count` rows nearest to a query (d,), the nearest first.

    The rows (n, d) must have length 1 (`normalize_rows`), so that searching many takes a single product.
    """
    cosines = np.clip(unit_rows @ normalize_rows(query[None])[0], -1.0, 1.0)
    count = min(count, len(cosines))
    if not count:
        return []
    # Of rows with the same cosine as the last one, the first in order are taken.
    threshold = np.partition(cosines, len(cosines) - count)[len(cosines) - count]
    indices = np.flatnonzero(cosines >= threshold)
    indices = indices[np.argsort(-cosines[indices], kind="stable")][:count]
    return [(int(index), float(cosines[index])) for index in indices]


def nearest_neighbours(rows: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices and the cosines (n, count) of the nearest of n rows (n, d) to each, itself first."""
    normalized = normalize_rows(rows)
    indices = np.empty((len(rows), count), dtype=np.int64)
    cosines = np.empty((len(rows), count), dtype=normalized.dtype)
    for start in range(0, len(rows), CHUNK_ROWS):
        chunk = normalized[start : start + CHUNK_ROWS] @ normalized.T
        stop = start + len(chunk)
        chunk[np.arange(len(chunk)), np.arange(start, stop)] = 2.0  # itself first, before copies as near as itself
        nearest = np.argpartition(chunk, chunk.shape[1] - count, axis=1)[:, chunk.shape[1] - count :]
        values = np.take_along_axis(chunk, nearest, axis=1)
        order = np.argsort(-values, axis=1, kind="stable")
        indices[start:stop] = np.take_along_axis(nearest, order, axis=1)
        cosines[start:stop] = np.take_along_axis(values, order, axis=1).clip(-1.0, 1.0)
    return indices, cosines


def unique_sentences(sentences: Sequence[str]) -> list[str]:
    """Return the sentences in order, stripped, without empty ones and without repetitions."""
    return list(dict.fromkeys(filter(None, (sentence.strip() for sentence in sentences))))
