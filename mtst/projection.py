"""Embeddings -> points on a plane, the same for the same input."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE


@dataclass(frozen=True, eq=False)
class Plane:
    """Points (n, 2) and what the two axes mean."""

    points: np.ndarray
    axes: tuple[str, str]


def pca(embeddings: np.ndarray, seed: int = 0) -> Plane:
    """Project (n, d) on the two directions of largest variance; the axes tell the share of the variance they hold."""
    found = PCA(n_components=2, svd_solver="full", random_state=seed).fit(embeddings)
    points = found.transform(embeddings)
    # The sign of a direction is arbitrary: its largest coordinate is made positive, so that pictures agree.
    points *= np.sign(points[np.abs(points).argmax(axis=0), [0, 1]] + 1e-30)
    shares = np.nan_to_num(found.explained_variance_ratio_)
    return Plane(points, tuple(f"component {k + 1} ({share:.0%} of the variance)" for k, share in enumerate(shares)))


def tsne(embeddings: np.ndarray, seed: int = 0) -> Plane:
    """Project (n, d) so that neighbours stay neighbours (van der Maaten & Hinton, 2008); far distances mean little."""
    perplexity = max(1.0, min(30.0, (len(embeddings) - 1) / 3))
    found = TSNE(
        perplexity=perplexity, metric="cosine", init="random" if len(embeddings) < 4 else "pca", random_state=seed
    )
    return Plane(found.fit_transform(embeddings), ("t-SNE 1", "t-SNE 2"))


METHODS: dict[str, Callable[[np.ndarray, int], Plane]] = {"PCA": pca, "t-SNE": tsne}


def project(embeddings: np.ndarray, method: str = "PCA", seed: int = 0) -> Plane:
    """Project embeddings (n, d) on a plane; one point, or points that all coincide, lie at the origin.

    Raises:
        KeyError: the method is not one of `METHODS`.
    """
    chosen = METHODS[method]
    if len(embeddings) < 2 or np.ptp(embeddings, axis=0).max() < 1e-7:
        return Plane(np.zeros((len(embeddings), 2)), ("x", "y"))
    return chosen(embeddings.astype(np.float64), seed)
