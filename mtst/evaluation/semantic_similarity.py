"""What training did to general similarity: is it still there, or has the embedding space collapsed?

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
    """The quality of an encoder's embeddings.

    `general` is Spearman's rank correlation, -1 to 1, of the cosines of the pairs with their grades. `crowding` is the
    mean cosine of sentences from different pairs, which are unrelated: near 0 in a healthy space, near 1 in one that
    has collapsed.
    """

    general: float
    crowding: float


def measure_embeddings(encoder: "Encoder") -> EmbeddingQuality:
    """Measure the embeddings of an encoder as it is now."""
    from scipy.stats import spearmanr

    first, second, grades = load_sts_pairs()
    cosines = cosine(encoder.encode(first), encoder.encode(second))
    paired = np.diag(cosines)
    unrelated = cosines[~np.eye(len(cosines), dtype=bool)]
    general = 0.0 if np.ptp(paired) < 1e-6 else float(spearmanr(paired, grades).statistic)
    return EmbeddingQuality(round(general, 4), round(float(unrelated.mean()), 4))
