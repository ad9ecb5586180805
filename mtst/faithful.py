"""How faithful a picture is: whether points near each other on it are near each other in truth."""

from dataclasses import dataclass

import numpy as np

from mtst.projection import Plane
from mtst.similarity import neighbours, unit

NEIGHBOURS = 10
POINTS_CHECKED = 1_500


@dataclass(frozen=True)
class Faithfulness:
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


def faithfulness(embeddings: np.ndarray, plane: Plane, seed: int = 0) -> Faithfulness | None:
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
    return Faithfulness(float(trust), float(kept), count, len(rows))
