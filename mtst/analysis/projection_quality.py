"""How far a projection can be trusted: are neighbours on the plane neighbours in all dimensions?"""

from dataclasses import dataclass

import numpy as np

from mtst.analysis.projection import Projection
from mtst.analysis.similarity import nearest_neighbours, normalize_rows

NEIGHBOURS = 10
MAX_POINTS = 1_500  # more are sampled


@dataclass(frozen=True)
class ProjectionQuality:
    """How the neighbours on a plane compare with those by cosine in all dimensions.

    Attributes:
        trustworthiness: from 0 to 1 (Venna & Kaski, 2001); about 0.5 where points lie at random. False neighbours
            count the more, the farther they are in truth.
        neighbour_recall: the share of true neighbours that are neighbours on the plane too.
        neighbours: how many neighbours of each point were compared.
        points: how many points were compared.
    """

    trustworthiness: float
    neighbour_recall: float
    neighbours: int
    points: int


def measure_projection(embeddings: np.ndarray, projection: Projection, seed: int = 0) -> ProjectionQuality | None:
    """Measure a projection of embeddings (n, d), on a sample where there are many; None for fewer than five points."""
    from sklearn.manifold import trustworthiness

    rows, points = normalize_rows(embeddings), projection.points
    if len(rows) > MAX_POINTS:
        sample = np.sort(np.random.default_rng(seed).choice(len(rows), MAX_POINTS, replace=False))
        rows, points = rows[sample], points[sample]
    if len(rows) < 5:
        return None
    count = min(NEIGHBOURS, (len(rows) - 1) // 2)
    trust = trustworthiness(rows, points, n_neighbors=count, metric="cosine")
    # On a plane, the nearest are those of the largest -|p - q|² / 2 = p·q - |p|²/2 - |q|²/2.
    squares = (points**2).sum(axis=1) / 2
    nearness = points @ points.T - squares[:, None] - squares[None]
    np.fill_diagonal(nearness, np.inf)
    on_plane = np.argsort(-nearness, axis=1, kind="stable")[:, 1 : count + 1]
    true = nearest_neighbours(rows, count + 1)[0][:, 1:]
    recall = np.mean([len(np.intersect1d(a, b)) for a, b in zip(true, on_plane, strict=True)]) / count
    return ProjectionQuality(float(trust), float(recall), count, len(rows))
