"""Project embeddings on a plane, the same for the same input.

t-SNE and UMAP start from the PCA, as Kobak & Linderman (2021) advise, so that far distances mean something, and use
exact cosine neighbours. Nothing in them depends on the time or on how threads happen to be scheduled.
"""

import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from mtst.analysis.similarity import nearest_neighbours, normalize_rows, search

if TYPE_CHECKING:
    from sklearn.decomposition import PCA

PERPLEXITY = 30.0
UMAP_NEIGHBOURS = 15
TSNE_DIMENSIONS = 50  # to which embeddings are reduced before t-SNE where there are many points
MANY_POINTS = 1_000
FEW_ITERATIONS, ITERATIONS = 500, 1_000  # of t-SNE, with and without many points
INTERPOLATED_NEIGHBOURS = 5
THREADS = 2  # the sum of two parts has no order; that of more would differ in its last bits from run to run
# These two protect state that the libraries share between threads, so they belong to the process, not to an app:
# threadpoolctl sets the number of OpenMP threads of the whole process, and numba may end the process when two threads
# run one parallel function.
_TSNE_LOCK = threading.Lock()
_UMAP_LOCK = threading.Lock()


@dataclass(frozen=True, eq=False)
class Projection:
    """Points (n, 2) and what the two axes mean."""

    points: np.ndarray
    axes: tuple[str, str]


@dataclass(frozen=True, eq=False)
class LinearProjection(Projection):
    """A projection on two directions (d, 2) of embeddings minus their mean (d,)."""

    mean: np.ndarray
    directions: np.ndarray

    def project(self, embeddings: np.ndarray) -> np.ndarray:
        """Return the points (..., 2) of embeddings (..., d) on the same axes."""
        points: np.ndarray = (embeddings - self.mean) @ self.directions
        return points


def pca(embeddings: np.ndarray, seed: int = 0) -> LinearProjection:
    """Project (n, d) on the two directions of largest variance; the axes name their shares of the variance."""
    fitted = _fit_pca(embeddings, 2, seed)
    points = fitted.transform(embeddings)
    # The sign of a direction is arbitrary: its largest coordinate is made positive, so that pictures agree.
    signs = np.sign(points[np.abs(points).argmax(axis=0), [0, 1]] + 1e-30)
    first, second = (
        f"component {k} ({share:.0%} of the variance)"
        for k, share in enumerate(np.nan_to_num(fitted.explained_variance_ratio_), 1)
    )
    return LinearProjection(points * signs, (first, second), fitted.mean_, fitted.components_.T * signs)


def tsne(embeddings: np.ndarray, seed: int = 0) -> Projection:
    """Project (n, d) so that neighbours stay neighbours (van der Maaten & Hinton, 2008); far distances mean little."""
    from sklearn.manifold import TSNE

    rows, start = normalize_rows(embeddings), pca(embeddings, seed).points
    many = len(rows) > MANY_POINTS
    if many and rows.shape[1] > TSNE_DIMENSIONS:
        rows = _fit_pca(rows, TSNE_DIMENSIONS, seed).transform(rows)
    model = TSNE(
        perplexity=max(1.0, min(PERPLEXITY, (len(rows) - 1) / 3)),
        init=(start / max(start[:, 0].std(), 1e-12) * 1e-4).astype(np.float32),
        max_iter=FEW_ITERATIONS if many else ITERATIONS,
        random_state=seed,
    )
    with _TSNE_LOCK, threadpool_limits(THREADS):
        return Projection(model.fit_transform(rows.astype(np.float32)), ("t-SNE 1", "t-SNE 2"))


def umap(embeddings: np.ndarray, seed: int = 0) -> Projection:
    """Project (n, d) so that neighbours stay neighbours (McInnes, Healy & Melville, 2018), in one thread."""
    start, axes = pca(embeddings, seed).points, ("UMAP 1", "UMAP 2")
    if len(embeddings) < 4:  # too few to have neighbours
        return Projection(start, axes)
    count = min(UMAP_NEIGHBOURS, max(2, (len(embeddings) - 1) // 3))
    rows = embeddings.astype(np.float32)  # a matrix of cosines in 64 bits takes several times as long
    indices, cosines = nearest_neighbours(rows, count)
    with _UMAP_LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that TensorFlow is not installed, and that neighbours are given
        from umap import UMAP  # takes seconds

        model = UMAP(
            n_neighbors=count,
            metric="cosine",
            init=(10 * start / np.abs(start).max()).astype(np.float32),
            precomputed_knn=(indices, 1 - cosines),
            force_approximation_algorithm=True,  # otherwise few points are compared again, without the given neighbours
            random_state=seed,
            n_jobs=1,
        )
        return Projection(model.fit_transform(rows), axes)


def _fit_pca(rows: np.ndarray, components: int, seed: int) -> "PCA":
    from sklearn.decomposition import PCA

    solver = "covariance_eigh" if len(rows) > rows.shape[1] else "full"
    return PCA(n_components=components, svd_solver=solver, random_state=seed).fit(rows)


METHODS: dict[str, Callable[[np.ndarray, int], Projection]] = {"t-SNE": tsne, "UMAP": umap, "PCA": pca}


def project(embeddings: np.ndarray, method: str = "PCA", seed: int = 0) -> Projection:
    """Project embeddings (n, d) on a plane; one point, or points that all coincide, lie at the origin.

    Raises:
        KeyError: the method is not one of `METHODS`.
    """
    fit = METHODS[method]
    if len(embeddings) < 2 or np.ptp(embeddings, axis=0).max() < 1e-7:
        return Projection(np.zeros((len(embeddings), 2)), ("x", "y"))
    return fit(embeddings.astype(np.float64), seed)


def project_new(projection: Projection, embeddings: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Return the point (2,) of an embedding (d,) that was not among the projected ones (n, d).

    A linear projection is applied to it. Otherwise its point is the mean of its nearest neighbours' points, weighted by
    their cosines, so that an embedding equal to a projected one gets that one's point.
    """
    if isinstance(projection, LinearProjection):
        return projection.project(new)
    nearest = search(new, normalize_rows(embeddings), INTERPOLATED_NEIGHBOURS)
    weights = np.array([1 / (1 - cosine + 1e-6) for _, cosine in nearest])
    point: np.ndarray = weights @ projection.points[[index for index, _ in nearest]] / weights.sum()
    return point


class SharedAxes:
    """The same axes for all epochs: the PCA of the embeddings (n, d) before and after training together."""

    def __init__(self, before: np.ndarray, after: np.ndarray) -> None:
        self._pca = pca(np.vstack([before, after]).astype(np.float64))
        self.extent = float(np.abs(self._pca.points).max())

    def project(self, embeddings: np.ndarray) -> Projection:
        """Project embeddings (n, d) of any epoch."""
        return Projection(self._pca.project(embeddings), self._pca.axes)
