"""How well each head does: loss, accuracy, precision, recall and F1, on the rows that have a label for its task."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support
from torch import Tensor
from torch.nn.functional import cross_entropy

from mtst.data import UNLABELLED, Dataset
from mtst.encoder import batches_by_length
from mtst.features import Features, features
from mtst.layers import evaluating
from mtst.model import MultiTaskSentenceTransformer


@dataclass(frozen=True)
class LabelScores:
    """The scores of one label: the rows that carry it, and shares between 0 and 1."""

    rows: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Scores:
    """The scores of one task over `rows` labelled rows, and those of each of its labels, in their order.

    Loss is the mean cross-entropy in nats; the others lie between 0 and 1. Precision, recall and macro-F1 are plain
    means over the labels that occur or are predicted; weighted F1 weighs each label by how often it occurs.
    """

    rows: int
    loss: float
    accuracy: float
    precision: float
    recall: float
    macro_f1: float
    weighted_f1: float
    labels: tuple[LabelScores, ...] = ()


def score(logits: Tensor, labels: Sequence[int] | Tensor) -> Scores | None:
    """Score logits (n, labels) against n label indices; nothing if no row has a label."""
    truth = torch.as_tensor(labels)
    known = truth != UNLABELLED
    if not known.any():
        return None
    logits, truth = logits.float().cpu()[known], truth[known]
    predicted = logits.argmax(dim=1)
    precision, recall, macro_f1, _ = precision_recall_fscore_support(truth, predicted, average="macro", zero_division=0)
    each = precision_recall_fscore_support(truth, predicted, labels=range(logits.shape[1]), zero_division=0)
    return Scores(
        rows=len(truth),
        loss=float(cross_entropy(logits, truth)),
        accuracy=float(accuracy_score(truth, predicted)),
        precision=float(precision),
        recall=float(recall),
        macro_f1=float(macro_f1),
        weighted_f1=float(f1_score(truth, predicted, average="weighted", zero_division=0)),
        labels=tuple(LabelScores(int(n), float(p), float(r), float(f)) for p, r, f, n in zip(*each, strict=True)),
    )


def score_tasks(logits: dict[str, Tensor], data: Dataset) -> dict[str, Scores]:
    """Score each task that has a labelled row in `data`; `logits[task]` has a row for each of its rows."""
    scores = {task.name: score(logits[task.name], data.labels[task.name]) for task in data.tasks}
    return {name: found for name, found in scores.items() if found is not None}


def logits_of(model: MultiTaskSentenceTransformer, source: Features) -> dict[str, Tensor]:
    """Return the logits (n, labels) of each task for all n texts of `source`, everything in evaluation mode."""
    rows: list[dict[str, Tensor]] = []
    order: list[int] = []
    with evaluating(model):
        for places in batches_by_length(source.lengths):
            rows.append(model.classify(source.batch(places)))
            order += places
    back = torch.tensor(order).argsort()
    return {task.name: torch.cat([batch[task.name] for batch in rows]).cpu()[back] for task in model.tasks}


def evaluate(model: MultiTaskSentenceTransformer, data: Dataset) -> dict[str, Scores]:
    """Return the scores of each task on a dataset, by task name; a task without labelled rows is absent."""
    if not len(data):
        return {}
    return score_tasks(logits_of(model, features(model.encoder, data.texts, frozen=True)), data)


def mean_macro_f1(scores: dict[str, Scores]) -> float:
    """The one figure that picks the best epoch: the mean over the tasks, so that a small task counts as much."""
    return sum(found.macro_f1 for found in scores.values()) / len(scores) if scores else 0.0
