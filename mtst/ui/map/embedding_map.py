"""Sentences on a plane: their positions, their neighbours, and the groups that can colour them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np

from mtst.analysis.cluster_names import name_clusters
from mtst.analysis.clustering import clusters
from mtst.analysis.projection import Projection
from mtst.analysis.projection_quality import measure_projection
from mtst.analysis.similarity import normalize_rows, search
from mtst.text import inline_text, truncate
from mtst.ui.components.html import quiet
from mtst.ui.plots.map import COLOURS, NO_LABEL, merge_rare

if TYPE_CHECKING:
    from mtst.model.multitask import MultiTaskSentenceTransformer

RIGHT, WRONG = "right", "wrong"
MAX_NEIGHBOURS = 10


@dataclass(frozen=True, eq=False)
class PredictedLabels:
    """The labels of a task, and the predicted one for each of n sentences."""

    labels: tuple[str, ...]
    predicted: list[str]

    @classmethod
    def of(cls, model: "MultiTaskSentenceTransformer", embeddings: np.ndarray) -> dict[str, Self]:
        """Return the predictions of each head of a model for n embeddings (n, d), by task."""
        import torch

        from mtst.model.outputs import probabilities
        from mtst.model.predictions import Prediction

        with torch.inference_mode():
            logits = model.classify(torch.from_numpy(embeddings).to(model.encoder.device))
        heads = (Prediction(task, probabilities(task, logits[task.name]).cpu().numpy()) for task in model.tasks)
        return {head.task.name: cls(head.task.labels, [label or NO_LABEL for label in head.labels]) for head in heads}


@dataclass(frozen=True, eq=False)
class EmbeddingMap:
    """Sentences on a plane.

    Attributes:
        texts: the n sentences.
        values: the n values of each column, such as labels; an empty value is unknown.
        embeddings: their embeddings (n, d).
        plane: their positions.
        predictions: the predictions of a model, by task.
        run: the token of the run whose model that is, None for the starter. Not the model itself, which would then
            live as long as its visitor's session.
    """

    texts: Sequence[str]
    values: Mapping[str, Sequence[str]]
    embeddings: np.ndarray
    plane: Projection
    predictions: Mapping[str, PredictedLabels]
    run: str | None

    @cached_property
    def _clusters(self) -> list[str]:
        names, found = [""] * len(self.texts), clusters(self.embeddings)
        for number, (cluster, name) in enumerate(zip(found, name_clusters(self.texts, found), strict=True), 1):
            for member in cluster.members:
                names[member] = f"{number}. {truncate(name, 60)}"
        return names

    def colours(self) -> list[tuple[str, str]]:
        """Return the choices of what colours the points: a title and a key each."""
        tasks = list(self.predictions)
        choices = [(f"label: {inline_text(name, 60)}", f"known:{name}") for name in self.values]
        choices += [(f"prediction: {inline_text(name, 60)}", f"predicted:{name}") for name in tasks]
        choices += [
            (f"right or wrong: {inline_text(name, 60)}", f"right:{name}") for name in tasks if name in self.values
        ]
        return [*choices, ("clusters", "cluster:")]

    def groups(self, key: str) -> tuple[list[str], list[str]]:
        """Return the group of each point for the key of a colour choice, and all groups in order."""
        kind, _, name = key.partition(":")
        match kind:
            case "known":
                return merge_rare([value or NO_LABEL for value in self.values[name]])
            case "predicted":
                labels, groups = self.predictions[name].labels, self.predictions[name].predicted
                are_few = len(labels) <= len(COLOURS) and set(groups) <= set(labels)
                return (groups, list(labels)) if are_few else merge_rare(groups)
            case "right":
                pairs = zip(self.values[name], self.predictions[name].predicted, strict=True)
                groups = [NO_LABEL if not a else RIGHT if a == b else WRONG for a, b in pairs]
                return groups, [RIGHT, WRONG, NO_LABEL]
        return self._clusters, sorted(set(self._clusters), key=lambda name: int(name.split(".")[0]))

    @cached_property
    def trust(self) -> str:
        """How faithful the picture is, as HTML; empty if there are too few points to measure it."""
        quality = measure_projection(self.embeddings, self.plane)
        if quality is None:
            return ""
        kept, count = quality.neighbour_recall * quality.neighbours, quality.neighbours
        sampled = (
            "" if quality.points == len(self.texts) else f", measured on {quality.points:,} of them drawn at random"
        )
        verdict = next(verdict for least, verdict in VERDICTS if quality.trustworthiness >= least)
        return quiet(
            f"{verdict} Of the {count} sentences truly nearest to a sentence, {kept:.1f} are among its {count} nearest "
            f"here. Trustworthiness {quality.trustworthiness:.2f}: 1 is perfect, 0.5 is chance{sampled}."
        )

    @cached_property
    def folded(self) -> list[str]:
        """The texts without case, for a search."""
        return [text.casefold() for text in self.texts]

    def neighbours(self, embedding: np.ndarray, index: int | None = None) -> list[tuple[int, float]]:
        """Return the indices and cosines of the sentences nearest to an embedding (d,), the nearest first.

        `index` is its own if it is one of the sentences: it is not its own neighbour.
        """
        nearest = search(embedding, normalize_rows(self.embeddings), MAX_NEIGHBOURS + 1)
        return [pair for pair in nearest if pair[0] != index][:MAX_NEIGHBOURS]

    def count_kept(self, neighbours: Sequence[int], point: np.ndarray, index: int | None = None) -> int:
        """Return how many of the k true neighbours of a point (2,) are among its k nearest points."""
        distances = np.linalg.norm(self.plane.points - point, axis=1)
        if index is not None:
            distances[index] = np.inf
        nearest = set(np.argsort(distances, kind="stable")[: len(neighbours)].tolist())
        return sum(k in nearest for k in neighbours)


VERDICTS = (  # by the least trustworthiness
    (0.95, "This projection can be trusted."),
    (0.9, "This projection is a fair guide."),
    (0.8, "This projection is a rough guide."),
    (-1.0, "Most neighbours are lost in this projection; use the lists of neighbours."),
)
