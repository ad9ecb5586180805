"""What is on the map: sentences, where they lie, and what may colour them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np

from mtst.analysis.clustering import clusters
from mtst.analysis.projection import Plane, measure_projection
from mtst.analysis.similarity import search, unit
from mtst.text import escape_html, inline_text, truncate
from mtst.ui.components.html import quiet, table

if TYPE_CHECKING:
    from mtst.model.multitask import MultiTaskSentenceTransformer

GROUPS_NAMED = 12
OTHER, NO_LABEL, RIGHT, WRONG = "others", "no label", "right", "wrong"
NEIGHBOURS = 10
NOT_CHOSEN = quiet("Choose a point, or write a sentence: its nearest sentences are listed here, by their true cosine.")


@dataclass(frozen=True, eq=False)
class PredictedLabels:
    """The labels of a task, and the likeliest of them for each of n sentences."""

    labels: tuple[str, ...]
    likeliest: list[str]

    @classmethod
    def by(cls, model: "MultiTaskSentenceTransformer", rows: np.ndarray) -> dict[str, Self]:
        """Return what each head of a model says of the embeddings (n, d) of n sentences, by task."""
        import torch

        with torch.inference_mode():
            logits = model.classify(torch.from_numpy(rows).to(model.encoder.device))
        places = {name: scores.argmax(dim=1).tolist() for name, scores in logits.items()}
        return {task.name: cls(task.labels, [task.labels[k] for k in places[task.name]]) for task in model.tasks}


@dataclass(frozen=True, eq=False)
class EmbeddingMap:
    """Sentences on a plane.

    Attributes:
        texts: the n sentences.
        known: values (n) by column, such as labels; an empty one is unknown.
        rows: their embeddings (n, d).
        plane: where they lie.
        said: what the heads of a model say of them, by task.
        run: the token of the run whose model that is; none of the starter. Not the model itself, which would then live
            as long as its visitor's session.
    """

    texts: Sequence[str]
    known: dict[str, list[str]]
    rows: np.ndarray
    plane: Plane
    said: Mapping[str, PredictedLabels]
    run: str | None

    @cached_property
    def _clusters(self) -> list[str]:
        names = [""] * len(self.texts)
        for number, group in enumerate(clusters(self.rows), 1):
            for member in group.members:
                names[member] = f"{number}. {truncate(self.texts[group.centre], 60)}"
        return names

    def colours(self) -> list[tuple[str, str]]:
        """Return the names of all that may colour the points, with their keys."""
        tasks = list(self.said)
        made = [(f"label: {inline_text(name, 60)}", f"known:{name}") for name in self.known]
        made += [(f"prediction: {inline_text(name, 60)}", f"predicted:{name}") for name in tasks]
        made += [(f"right or wrong: {inline_text(name, 60)}", f"right:{name}") for name in tasks if name in self.known]
        return [*made, ("clusters", "cluster:")]

    def coloured(self, key: str) -> tuple[list[str], list[str]]:
        """Return the group of each point and the groups in order."""
        kind, _, name = key.partition(":")
        match kind:
            case "known":
                return _few([value or NO_LABEL for value in self.known[name]])
            case "predicted":
                labels, groups = self.said[name].labels, self.said[name].likeliest
                return (groups, list(labels)) if len(labels) <= GROUPS_NAMED else _few(groups)
            case "right":
                pairs = zip(self.known[name], self.said[name].likeliest, strict=True)
                groups = [NO_LABEL if not a else RIGHT if a == b else WRONG for a, b in pairs]
                return groups, [RIGHT, WRONG, NO_LABEL]
        return self._clusters, sorted(set(self._clusters), key=lambda name: int(name.split(".")[0]))

    @cached_property
    def trust(self) -> str:
        """What the page says of how faithful the picture is."""
        found = measure_projection(self.rows, self.plane)
        if found is None:
            return ""
        kept, count = found.kept * found.neighbours, found.neighbours
        measured = "" if found.points == len(self.texts) else f", measured on {found.points:,} of them drawn at random"
        word = next(word for least, word in WORDS if found.trust >= least)
        return quiet(
            f"{word} Of the {count} sentences truly nearest to a sentence, {kept:.1f} are among its {count} nearest "
            f"here. Trustworthiness {found.trust:.2f}: 1 is perfect, 0.5 is chance{measured}."
        )

    def near(self, sentence: str, row: np.ndarray, place: np.ndarray, own: int | None = None) -> str:
        """Return the true neighbours of an embedding (d,) that lies at a place (2,), as HTML.

        `own` is its number if it is one of the sentences; it is not its own neighbour.
        """
        found = [pair for pair in search(row, unit(self.rows), NEIGHBOURS + 1) if pair[0] != own][:NEIGHBOURS]
        distances = np.linalg.norm(self.plane.points - place, axis=1)
        if own is not None:
            distances[own] = np.inf
        shown = set(np.argsort(distances, kind="stable")[: len(found)].tolist())
        kept = sum(k in shown for k, _ in found)
        lines = [[f"{cosine:.3f}", f"{k + 1}. {truncate(self.texts[k], 200)}"] for k, cosine in found]
        made = table(("cosine", "sentence"), lines, caption="Nearest by cosine, in all dimensions", text_columns=(1,))
        told = f"{kept} of these {len(found)} are also among its {len(found)} nearest points on the map."
        name = f'<p class="caption" dir="auto">{escape_html(truncate(sentence, 300))}</p>'
        return f"{name}{quiet(told) + made if found else quiet('It is alone here.')}"


WORDS = (
    (0.95, "This picture can be trusted."),
    (0.9, "This picture is a fair guide."),
    (0.8, "This picture is a rough guide."),
    (-1.0, "This picture hides most neighbours: rely on the list below."),
)


def _few(groups: list[str]) -> tuple[list[str], list[str]]:
    """Keep the most frequent groups by name and merge the others; what has no label comes last."""
    counts = Counter(group for group in groups if group != NO_LABEL)
    named = [
        group for group, _ in counts.most_common(GROUPS_NAMED if len(counts) <= GROUPS_NAMED else GROUPS_NAMED - 1)
    ]
    order = [*sorted(named), *([OTHER] if len(counts) > len(named) else []), NO_LABEL]
    return [group if group in named or group == NO_LABEL else OTHER for group in groups], order
