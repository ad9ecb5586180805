"""Sentences that belong together: near duplicates, groups of close ones, and a given number of clusters."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from mtst.analysis.similarity import Pair, cosine, sorted_pairs, unit

CLUSTERS = 8


@dataclass(frozen=True)
class Cluster:
    """The places of some rows, in order, and of the most central one, whose sentence names the group."""

    members: tuple[int, ...]
    centre: int


def near_duplicates(rows: np.ndarray, least: float = 0.9, count: int = 100) -> list[Pair]:
    """Return the pairs of rows (n, d) whose cosine is at least `least`, the closest first, at most `count`."""
    return [pair for pair in sorted_pairs(cosine(rows))[:count] if pair[2] >= least]


def connected_groups(rows: np.ndarray, least: float = 0.5) -> list[Cluster]:
    """Merge rows (n, d) into groups while the mean cosine between two groups is at least `least`; the largest first.

    Agglomerative clustering with average linkage, on a matrix (n, n): for thousands of rows at most.
    """
    from sklearn.cluster import AgglomerativeClustering

    if len(rows) < 2:
        return [Cluster((k,), k) for k in range(len(rows))]
    found = AgglomerativeClustering(
        n_clusters=None, metric="precomputed", linkage="average", distance_threshold=max(0.0, 1 - least) + 1e-6
    )
    distances = 1.0 - cosine(rows.astype(np.float64))  # written out, for a row of zeros has no direction
    np.fill_diagonal(distances, 0.0)
    return _named(rows, found.fit_predict(distances))


def clusters(rows: np.ndarray, count: int = CLUSTERS, seed: int = 0) -> list[Cluster]:
    """Part rows (n, d) into at most `count` clusters by k-means on their directions; the largest first."""
    from sklearn.cluster import KMeans

    scaled = unit(rows.astype(np.float64))
    count = min(count, len(np.unique(np.round(scaled, 6), axis=0)))
    if count < 2:
        return _named(rows, [0] * len(rows))
    with threadpool_limits(1):  # sums in an order of their own
        return _named(rows, KMeans(count, random_state=seed, n_init=3).fit_predict(scaled))


def _named(rows: np.ndarray, labels: Sequence[int]) -> list[Cluster]:
    """Return the groups that labels (n,) make of rows (n, d), the largest first, then in order of appearance."""
    scaled, labels = unit(rows), np.asarray(labels)
    made = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        # The mean cosine with all members is largest where the cosine with their sum is.
        centre = members[np.argmax(scaled[members] @ scaled[members].sum(axis=0))]
        made.append(Cluster(tuple(map(int, members)), int(centre)))
    return sorted(made, key=lambda group: (-len(group.members), group.members))
