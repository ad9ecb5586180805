"""What training did to the space of meanings: is general similarity still there, or is all similar to everything?

Measured on the pairs of everyday sentences in `assets/pairs.csv`, written for this project and graded from 0 (about
different things) to 5 (the same meaning).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtst.analysis.similarity import cosine
from mtst.assets import load_sts_pairs

if TYPE_CHECKING:
    from mtst.encoders.encoder import Encoder


@dataclass(frozen=True)
class EmbeddingQuality:
    """An encoder's space.

    `general` is Spearman's rank correlation, -1 to 1, of the cosines of the pairs with their grades. `crowding` is the
    mean cosine of sentences from different pairs, which have nothing to do with each other: near 0 if they have room,
    near 1 if the space has collapsed.
    """

    general: float
    crowding: float


def measure_embeddings(encoder: "Encoder") -> EmbeddingQuality:
    """Measure the space of an encoder as it is now."""
    from scipy.stats import spearmanr

    first, second, grades = load_sts_pairs()
    rows, others = encoder.encode(first), encoder.encode(second)
    cosines = cosine(rows, others)
    apart = ~np.eye(len(rows), dtype=bool)
    alike = np.diag(cosines)
    general = 0.0 if np.ptp(alike) < 1e-6 else float(spearmanr(alike, grades).statistic)
    return EmbeddingQuality(round(general, 4), round(float(cosines[apart].mean()), 4))
