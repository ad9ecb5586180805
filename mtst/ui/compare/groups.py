"""Which sentences belong together: near duplicates, and groups whose mean cosine is high enough."""

from collections.abc import Sequence

from mtst.analysis.clustering import agglomerative_clusters, near_duplicates
from mtst.analysis.similarity import Pair
from mtst.errors import MtstError
from mtst.text import quantity, truncate
from mtst.ui.components.html import problem, quiet, table
from mtst.ui.components.sentence_box import CELL_CHARACTERS, numbered_sentence, split_sentences
from mtst.ui.components.templates import render
from mtst.ui.services.services import Services

DUPLICATE_COSINE = 0.9
GROUP_COSINE = 0.3


def group_sentences(services: Services, text: str, min_cosine: float) -> str:
    """Return near duplicates among the sentences, and groups whose mean cosine is at least `min_cosine`, as HTML."""
    try:
        sentences = split_sentences(text)
        if len(sentences) < 2:
            return quiet("Groups appear here once there are sentences to compare.")
        embeddings = services.encoder.encode(sentences)
    except MtstError as error:
        return problem(error)
    clusters = agglomerative_clusters(embeddings, min_cosine)
    groups = [cluster for cluster in clusters if len(cluster.members) > 1]
    title = f"cosine of {DUPLICATE_COSINE} or more"
    duplicates = pair_table(sentences, near_duplicates(embeddings, DUPLICATE_COSINE), f"Near duplicates: {title}")
    summary = f"{quantity(len(groups), 'group')} and {quantity(len(clusters) - len(groups), 'sentence')} alone."
    return render(
        "compare/groups",
        summary=quiet(summary if duplicates else f"{summary} No near duplicates ({title})."),
        duplicates=duplicates,
        groups=[
            (
                truncate(sentences[group.centre], CELL_CHARACTERS),
                [numbered_sentence(sentences, index) for index in group.members],
            )
            for group in groups
        ],
    )


def pair_table(sentences: Sequence[str], pairs: Sequence[Pair], caption: str) -> str:
    """Return a table of pairs; empty if there are none."""
    rows = [[f"{value:.3f}", numbered_sentence(sentences, i), numbered_sentence(sentences, j)] for i, j, value in pairs]
    header = ("cosine", "sentence", "sentence")
    return table(header, rows, caption=caption, text_columns=(1, 2)) if rows else ""
