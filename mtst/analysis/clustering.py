"""Clusters of sentences: near duplicates, agglomerative clusters, and k-means."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from mtst.analysis.similarity import Pair, cosine, normalize_rows, sorted_pairs

CLUSTERS = 8


@dataclass(frozen=True)
class Cluster:
    """The indices of the rows of a cluster, in order, and of the most central one, whose sentence names the cluster."""

    members: tuple[int, ...]
    centre: int


def near_duplicates(rows: np.ndarray, min_cosine: float = 0.9, count: int = 100) -> list[Pair]:
    """Return the pairs of rows (n, d) whose cosine is at least `min_cosine`, the closest first, at most `count`."""
    return [pair for pair in sorted_pairs(cosine(rows))[:count] if pair[2] >= min_cosine]


def agglomerative_clusters(rows: np.ndarray, min_cosine: float = 0.5) -> list[Cluster]:
    """Merge rows (n, d) while the mean cosine between two clusters is at least `min_cosine`; the largest first.

    Agglomerative clustering with average linkage, on a matrix (n, n): for thousands of rows at most.
    """
    from sklearn.cluster import AgglomerativeClustering

    if len(rows) < 2:
        return [Cluster((k,), k) for k in range(len(rows))]
    clustering = AgglomerativeClustering(
        n_clusters=None, metric="precomputed", linkage="average", distance_threshold=max(0.0, 1 - min_cosine) + 1e-6
    )
    distances = 1.0 - cosine(rows.astype(np.float64))  # not metric="cosine", which refuses a row of zeros
    np.fill_diagonal(distances, 0.0)
    return _clusters(rows, clustering.fit_predict(distances))


def similarity_order(cosines: np.ndarray) -> list[int]:
    """Return the rows of a matrix of cosines (n, n) in an order that puts similar ones side by side.

    It is that of the leaves of the tree of average linkage, turned so that neighbours are as near as can be
    (Bar-Joseph, Gifford and Jaakkola, 2001).
    """
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    if len(cosines) < 3:
        return [*range(len(cosines))]
    distances = np.clip(1.0 - (cosines + cosines.T) / 2, 0.0, None)
    np.fill_diagonal(distances, 0.0)
    order: list[int] = leaves_list(linkage(squareform(distances), "average", optimal_ordering=True)).tolist()
    return order


def clusters(rows: np.ndarray, count: int = CLUSTERS, seed: int = 0) -> list[Cluster]:
    """Split rows (n, d) into at most `count` clusters by k-means on their directions; the largest first."""
    from sklearn.cluster import KMeans

    normalized = normalize_rows(rows.astype(np.float64))
    count = min(count, len(np.unique(np.round(normalized, 6), axis=0)))
    if count < 2:
        return _clusters(rows, [0] * len(rows))
    with threadpool_limits(1):  # more threads add up in another order each time
        return _clusters(rows, KMeans(count, random_state=seed, n_init=3).fit_predict(normalized))


def _clusters(rows: np.ndarray, labels: Sequence[int] | np.ndarray) -> list[Cluster]:
    """Return the clusters that labels (n,) make of rows (n, d), the largest first, then in order of appearance."""
    normalized, labels = normalize_rows(rows), np.asarray(labels)
    clustered = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        # The mean cosine with all members is largest where the cosine with their sum is.
        centre = members[np.argmax(normalized[members] @ normalized[members].sum(axis=0))]
        clustered.append(Cluster(tuple(map(int, members)), int(centre)))
    return sorted(clustered, key=lambda cluster: (-len(cluster.members), cluster.members))
