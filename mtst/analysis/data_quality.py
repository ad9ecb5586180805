"""What may be wrong with labelled rows: copies, near copies, copies that disagree, and labels that look mistaken."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtst.analysis.similarity import unit
from mtst.data.csv_writer import write_csv
from mtst.data.dataset import UNLABELLED, Dataset
from mtst.data.split import rows_by_text, text_key

NEAR = 0.95  # cosine from which two different texts are near copies
ROWS_AT_ONCE = 1_024
FOLDS = 5
COLUMNS = ("line", "finding", "task", "label", "suggested label", "score", "other line", "text")
OTHERS_WEIGH = 0.3  # of a label for another task, beside an embedding of length 1
LISTED = 0.1  # share of a task's rows that are listed, the most suspicious ones


@dataclass(frozen=True)
class Finding:
    """One row and what is noticed about it; rows are places in the dataset.

    Attributes:
        kind: "copy", "near copy", "conflict" or "label".
        row: the row in question.
        other: an earlier row with the same or nearly the same text.
        score: the cosine with the other row; for a label, the probability that it is right.
        task: the task whose label is in question.
        suggestion: the label that the other rows speak for.
    """

    kind: str
    row: int
    score: float = 1.0
    other: int | None = None
    task: str | None = None
    suggestion: str | None = None


@dataclass(frozen=True)
class QualityReport:
    """All findings, by kind."""

    copies: tuple[Finding, ...]
    near_copies: tuple[Finding, ...]
    conflicts: tuple[Finding, ...]
    labels: tuple[Finding, ...]

    def write(self, data: Dataset, target: Path) -> int:
        """Write a line for each finding, with the file's line number and the text; return their number.

        Raises:
            DataError: the file cannot be written.
        """
        found = self.copies + self.near_copies + self.conflicts + self.labels
        return write_csv(target, COLUMNS, (_row(finding, data) for finding in found))


def _row(finding: Finding, data: Dataset) -> tuple[object, ...]:
    task = next((task for task in data.tasks if task.name == finding.task), None)
    label = task.labels[data.labels[task.name][finding.row]] if task else ""
    other = "" if finding.other is None else data.lines[finding.other]
    score = f"{finding.score:.4f}"
    return (
        data.lines[finding.row], finding.kind, finding.task or "", label, finding.suggestion or "", score, other,
        data.texts[finding.row],
    )  # fmt: skip


def check_quality(data: Dataset, embeddings: np.ndarray, seed: int = 0) -> QualityReport:
    """Look for what may be wrong with n rows, given their embeddings (n, d)."""
    same = [rows for rows in rows_by_text(data) if len(rows) > 1]
    return QualityReport(
        copies=tuple(Finding("copy", row, other=rows[0]) for rows in same for row in rows[1:]),
        near_copies=tuple(near_copies(data, embeddings)),
        conflicts=tuple(_conflicts(data, same)),
        labels=suspicious_labels(data, embeddings, seed),
    )


def _conflicts(data: Dataset, same: list[list[int]]) -> Iterator[Finding]:
    """Yield every row of a text that has two labels for one task."""
    for rows in same:
        for task in data.tasks:
            labels = data.labels[task.name]
            labelled = [row for row in rows if labels[row] != UNLABELLED]
            if len({labels[row] for row in labelled}) > 1:
                for row in labelled:
                    other = next(each for each in labelled if labels[each] != labels[row])
                    yield Finding("conflict", row, other=other, task=task.name, suggestion=task.labels[labels[other]])


def near_copies(data: Dataset, embeddings: np.ndarray) -> Iterator[Finding]:
    """Yield each row with a text nearly like an earlier, different one, and that earlier row."""
    rows = np.array([copies[0] for copies in rows_by_text(data)], dtype=int)
    vectors = unit(embeddings[rows])
    for start in range(1, len(rows), ROWS_AT_ONCE):
        end = min(start + ROWS_AT_ONCE, len(rows))
        cosines = vectors[start:end] @ vectors[:end].T
        cosines[np.arange(end) >= np.arange(start, end)[:, None]] = -1.0
        nearest = cosines.argmax(axis=1)
        best = cosines[np.arange(end - start), nearest]
        for place in np.flatnonzero(best >= NEAR):
            yield Finding("near copy", int(rows[start + place]), float(best[place]), int(rows[nearest[place]]))


def suspicious_labels(data: Dataset, embeddings: np.ndarray, seed: int = 0) -> tuple[Finding, ...]:
    """Return a tenth of each task's rows, those whose label the other rows speak against most, the worst first.

    A row's label is scored by its probability from a classifier that has not seen the row's text: logistic regression
    on the frozen embedding and the row's labels for the other tasks, cross-validated; ranked by cleanlab's label
    quality score (Northcutt, Jiang and Chuang 2021). A label with one text only cannot be checked so.
    """
    found = [finding for task in data.tasks for finding in _suspicious(data, task.name, embeddings, seed)]
    return tuple(sorted(found, key=lambda finding: finding.score))


def _suspicious(data: Dataset, name: str, embeddings: np.ndarray, seed: int) -> list[Finding]:
    from cleanlab.rank import get_label_quality_scores  # takes two seconds to import, and few runs need it

    task = next(task for task in data.tasks if task.name == name)
    labels = np.array(data.labels[name])
    texts = np.unique([text_key(text) for text in data.texts], return_inverse=True)[1]
    several = [k for k in range(len(task.labels)) if len(np.unique(texts[labels == k])) > 1]
    rows = np.flatnonzero(np.isin(labels, several))
    if len(several) < 2:
        return []
    known = np.searchsorted(several, labels[rows])
    evidence = np.hstack([unit(embeddings[rows]), *_other_labels(data, name, rows)])
    probabilities = _cross_validated(evidence, known, texts[rows], seed)
    scores = get_label_quality_scores(known, probabilities, method="self_confidence")
    likeliest = probabilities.argmax(axis=1)
    worst = [k for k in np.argsort(scores, kind="stable")[: round(LISTED * len(rows))] if likeliest[k] != known[k]]
    return [
        Finding("label", int(rows[k]), float(scores[k]), None, name, task.labels[several[likeliest[k]]]) for k in worst
    ]


def _other_labels(data: Dataset, name: str, rows: np.ndarray) -> list[np.ndarray]:
    """Return the labels (n, labels + 1) of n rows for each other task, one-hot; the last place is for none."""
    return [
        OTHERS_WEIGH * np.eye(len(task.labels) + 1)[np.array(data.labels[task.name])[rows]]
        for task in data.tasks
        if task.name != name
    ]


def _cross_validated(evidence: np.ndarray, labels: np.ndarray, texts: np.ndarray, seed: int) -> np.ndarray:
    """Return the probabilities (n, labels) of each row's labels from the folds it is not in."""
    from sklearn.linear_model import LogisticRegression

    folds = _folds(labels, texts, seed)
    probabilities = np.zeros((len(labels), labels.max() + 1))
    for fold in np.unique(folds):
        train, test = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        if len(np.unique(labels[train])) < 2:
            probabilities[np.ix_(test, np.unique(labels[train]))] = 1.0
            continue
        classifier = LogisticRegression(max_iter=200, tol=1e-3).fit(evidence[train], labels[train])
        probabilities[np.ix_(test, classifier.classes_)] = classifier.predict_proba(evidence[test])
    return probabilities


def _folds(labels: np.ndarray, texts: np.ndarray, seed: int) -> np.ndarray:
    """Deal the texts of one label after the other out to the folds, in random order; all rows of a text share one."""
    different, first, places = np.unique(texts, return_index=True, return_inverse=True)
    chance = np.random.default_rng(seed).random(len(different))
    fold = np.empty(len(different), dtype=int)
    fold[np.lexsort((chance, labels[first]))] = np.arange(len(different)) % FOLDS
    return fold[places]
