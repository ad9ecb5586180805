"""Embeddings -> points on a plane, the same for the same input.

t-SNE and UMAP begin with the picture of PCA, as Kobak & Linderman (2021) advise, so that far distances mean something,
and use exact cosine neighbours. Nothing in them depends on the time or on how threads happen to run.
"""

import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from mtst.analysis.similarity import neighbours, search, unit

if TYPE_CHECKING:
    from sklearn.decomposition import PCA

PERPLEXITY = 30.0
UMAP_NEIGHBOURS = 15
REDUCED = 50  # dimensions that t-SNE works in where there are many points
MANY = 1_000  # points from which they are reduced before
FEW_ITERATIONS, ITERATIONS = 500, 1_000  # of t-SNE, with and without many points
LANDING_NEIGHBOURS = 5
THREADS = 2  # the sum of two parts has no order; that of more would differ in its last bits from run to run
_ONE_TSNE = threading.Lock()
_ONE_UMAP = threading.Lock()  # numba may end the process when two threads run one parallel function


@dataclass(frozen=True, eq=False)
class Plane:
    """Points (n, 2), what the two axes mean and, for a linear projection, its mean (d,) and directions (d, 2)."""

    points: np.ndarray
    axes: tuple[str, str]
    basis: tuple[np.ndarray, np.ndarray] | None = None


def pca(embeddings: np.ndarray, seed: int = 0) -> Plane:
    """Project (n, d) on the two directions of largest variance; the axes tell the share of the variance they hold."""
    found = _fit_pca(embeddings, 2, seed)
    points = found.transform(embeddings)
    # The sign of a direction is arbitrary: its largest coordinate is made positive, so that pictures agree.
    signs = np.sign(points[np.abs(points).argmax(axis=0), [0, 1]] + 1e-30)
    shares = np.nan_to_num(found.explained_variance_ratio_)
    axes = tuple(f"component {k + 1} ({share:.0%} of the variance)" for k, share in enumerate(shares))
    return Plane(points * signs, axes, (found.mean_, found.components_.T * signs))


def tsne(embeddings: np.ndarray, seed: int = 0) -> Plane:
    """Project (n, d) so that neighbours stay neighbours (van der Maaten & Hinton, 2008); far distances mean little."""
    from sklearn.manifold import TSNE

    rows, start = unit(embeddings), pca(embeddings, seed).points
    many = len(rows) > MANY
    if many and rows.shape[1] > REDUCED:
        rows = _fit_pca(rows, REDUCED, seed).transform(rows)
    found = TSNE(
        perplexity=max(1.0, min(PERPLEXITY, (len(rows) - 1) / 3)),
        init=(start / max(start[:, 0].std(), 1e-12) * 1e-4).astype(np.float32),
        max_iter=FEW_ITERATIONS if many else ITERATIONS,
        random_state=seed,
    )
    with _ONE_TSNE, threadpool_limits(THREADS):
        return Plane(found.fit_transform(rows.astype(np.float32)), ("t-SNE 1", "t-SNE 2"))


def umap(embeddings: np.ndarray, seed: int = 0) -> Plane:
    """Project (n, d) so that neighbours stay neighbours (McInnes, Healy & Melville, 2018), in one thread."""
    start, axes = pca(embeddings, seed).points, ("UMAP 1", "UMAP 2")
    if len(embeddings) < 4:  # too few to have neighbours
        return Plane(start, axes)
    count = min(UMAP_NEIGHBOURS, max(2, (len(embeddings) - 1) // 3))
    rows = embeddings.astype(np.float32)  # a matrix of cosines in 64 bits takes several times as long
    places, cosines = neighbours(rows, count)
    with _ONE_UMAP, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what it could do with TensorFlow, or with neighbours that it found itself
        from umap import UMAP  # takes seconds

        found = UMAP(
            n_neighbors=count,
            metric="cosine",
            init=(10 * start / np.abs(start).max()).astype(np.float32),
            precomputed_knn=(places, 1 - cosines),
            force_approximation_algorithm=True,  # or else few points are compared once more
            random_state=seed,
            n_jobs=1,
        )
        return Plane(found.fit_transform(rows), axes)


def _fit_pca(rows: np.ndarray, components: int, seed: int) -> "PCA":
    from sklearn.decomposition import PCA

    solver = "covariance_eigh" if len(rows) > rows.shape[1] else "full"
    return PCA(n_components=components, svd_solver=solver, random_state=seed).fit(rows)


METHODS: dict[str, Callable[[np.ndarray, int], Plane]] = {"PCA": pca, "t-SNE": tsne, "UMAP": umap}


def project(embeddings: np.ndarray, method: str = "PCA", seed: int = 0) -> Plane:
    """Project embeddings (n, d) on a plane; one point, or points that all coincide, lie at the origin.

    Raises:
        KeyError: the method is not one of `METHODS`.
    """
    chosen = METHODS[method]
    if len(embeddings) < 2 or np.ptp(embeddings, axis=0).max() < 1e-7:
        return Plane(np.zeros((len(embeddings), 2)), ("x", "y"))
    return chosen(embeddings.astype(np.float64), seed)


def land(plane: Plane, embeddings: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Return where an embedding (d,) that was not projected lies (2,) among those (n, d) that were.

    A linear projection takes it like all others. Elsewhere it lies between its nearest neighbours, weighted by how
    near they are, so on one that is the same.
    """
    if plane.basis is not None:
        mean, directions = plane.basis
        return (new - mean) @ directions
    found = search(new, unit(embeddings), LANDING_NEIGHBOURS)
    weights = np.array([1 / (1 - cosine + 1e-6) for _, cosine in found])
    return weights @ plane.points[[place for place, _ in found]] / weights.sum()


NEIGHBOURS = 10
POINTS_CHECKED = 1_500


@dataclass(frozen=True)
class ProjectionQuality:
    """How the neighbours on a plane compare with those by cosine in all dimensions.

    Attributes:
        trust: trustworthiness (Venna & Kaski, 2001) from 0 to 1; about 0.5 where points lie at random. False
            neighbours count the more, the farther they are in truth.
        kept: the share of true neighbours that are neighbours on the plane too.
        neighbours: how many neighbours of each point were looked at.
        points: how many points were looked at.
    """

    trust: float
    kept: float
    neighbours: int
    points: int


def measure_projection(embeddings: np.ndarray, plane: Plane, seed: int = 0) -> ProjectionQuality | None:
    """Measure a plane of embeddings (n, d), on a sample where there are many; nothing for fewer than five points."""
    from sklearn.manifold import trustworthiness

    rows, points = unit(embeddings), plane.points
    if len(rows) > POINTS_CHECKED:
        chosen = np.sort(np.random.default_rng(seed).choice(len(rows), POINTS_CHECKED, replace=False))
        rows, points = rows[chosen], points[chosen]
    if len(rows) < 5:
        return None
    count = min(NEIGHBOURS, (len(rows) - 1) // 2)
    trust = trustworthiness(rows, points, n_neighbors=count, metric="cosine")
    # On a plane, the nearest are those of the largest -|p - q|² / 2 = p·q - |p|²/2 - |q|²/2.
    squares = (points**2).sum(axis=1) / 2
    nearness = points @ points.T - squares[:, None] - squares[None]
    np.fill_diagonal(nearness, np.inf)
    shown = np.argsort(-nearness, axis=1, kind="stable")[:, 1 : count + 1]
    true = neighbours(rows, count + 1)[0][:, 1:]
    kept = np.mean([len(np.intersect1d(a, b)) for a, b in zip(true, shown, strict=True)]) / count
    return ProjectionQuality(float(trust), float(kept), count, len(rows))


class SharedAxes:
    """Two directions for all epochs: those of largest variance of the embeddings (n, d) before and after together."""

    def __init__(self, before: np.ndarray, after: np.ndarray) -> None:
        self._both = pca(np.vstack([before, after]).astype(np.float64))
        self.reach = float(np.abs(self._both.points).max())

    def place(self, embeddings: np.ndarray) -> Plane:
        """Return where embeddings (n, d) lie."""
        mean, directions = self._both.basis
        return Plane((embeddings - mean) @ directions, self._both.axes)
