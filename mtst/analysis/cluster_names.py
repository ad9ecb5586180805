"""Names of clusters of sentences: the words that set each apart from the others."""

import re
from collections import Counter
from collections.abc import Sequence
from math import log

from mtst.analysis.clustering import Cluster

WORDS = 3  # of a name
CHARACTERS = 2_000  # of a sentence, which has said by then what it is about
FEW = 50  # sentences, among which a word may occur once, and be common
COMMON = 0.15  # share of all sentences from which on a word, such as "the", names none
WORD = re.compile(r"[^\W\d_]{3,}")


def name_clusters(texts: Sequence[str], clusters: Sequence[Cluster]) -> list[str]:
    """Return a name for each cluster: the words that add most to how its sentences differ from all.

    Of a word in a share p of the cluster's sentences and q of all, that is p log(p / q), its part of the
    Kullback-Leibler divergence. A word counts once for each sentence. A cluster without a word of its own, as in a
    script without spaces, is named by its most central sentence.

    Args:
        texts: the n sentences.
        clusters: clusters of their indices.
    """
    counts = [
        Counter(word for k in cluster.members for word in {*WORD.findall(texts[k][:CHARACTERS].lower())})
        for cluster in clusters
    ]
    totals = sum(counts, Counter[str]())
    size = sum(len(cluster.members) for cluster in clusters)
    names = []
    for cluster, words in zip(clusters, counts, strict=True):
        shares = {
            word: count / len(cluster.members)
            for word, count in words.items()
            if size < FEW or (count > 1 and totals[word] <= COMMON * size)
        }
        gains = {word: share * log(share * size / totals[word]) for word, share in shares.items()}
        best = sorted((-gain, word) for word, gain in gains.items() if gain > 0)[:WORDS]
        names.append(", ".join(word for _, word in best) or texts[cluster.centre])
    return names
