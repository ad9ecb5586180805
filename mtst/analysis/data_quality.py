"""Data quality of labelled rows: copies, near copies, conflicting labels of one text, and suspicious labels."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtst.analysis.similarity import normalize_rows
from mtst.data.csv_writer import write_csv
from mtst.data.dataset import UNLABELLED, Dataset
from mtst.data.labels.sets import describe_labels, is_labelled, label_indices, multi_hot
from mtst.data.split import rows_by_text, text_key
from mtst.data.tasks import Task

NEAR_COPY_COSINE = 0.95  # from which two different texts are near copies
CHUNK_ROWS = 1_024
FOLDS = 5
COLUMNS = ("line", "finding", "task", "label", "suggested label", "score", "other line", "text")
OTHER_LABEL_WEIGHT = 0.3  # of a label for another task as a feature, next to an embedding of length 1
DOUBTFUL = 0.5  # probability below which a label of a multi-label task is doubted
LISTED_SHARE = 0.1  # of a task's rows, the most suspicious ones


@dataclass(frozen=True)
class Finding:
    """What is noticed about one row; rows are indices into the dataset.

    Attributes:
        kind: "copy", "near copy", "conflict" or "label".
        row: the row in question.
        other: an earlier row with the same or nearly the same text.
        score: the cosine with the other row; for a label, the probability that it is right.
        task: the task whose label is in question.
        suggestion: the label that the other rows suggest.
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
        findings = self.copies + self.near_copies + self.conflicts + self.labels
        return write_csv(target, COLUMNS, (_row(finding, data) for finding in findings))


def _row(finding: Finding, data: Dataset) -> tuple[object, ...]:
    task = next((task for task in data.tasks if task.name == finding.task), None)
    label = describe_labels(task, data.labels[task.name][finding.row]) if task else ""
    other = "" if finding.other is None else data.lines[finding.other]
    score = f"{finding.score:.4f}"
    return (
        data.lines[finding.row], finding.kind, finding.task or "", label, finding.suggestion or "", score, other,
        data.texts[finding.row],
    )  # fmt: skip


def check_quality(data: Dataset, embeddings: np.ndarray, seed: int = 0) -> QualityReport:
    """Look for problems in n rows, given their embeddings (n, d)."""
    repeated = [rows for rows in rows_by_text(data) if len(rows) > 1]
    return QualityReport(
        copies=tuple(Finding("copy", row, other=rows[0]) for rows in repeated for row in rows[1:]),
        near_copies=tuple(near_copies(data, embeddings)),
        conflicts=tuple(_conflicts(data, repeated)),
        labels=suspicious_labels(data, embeddings, seed),
    )


def _conflicts(data: Dataset, repeated: list[list[int]]) -> Iterator[Finding]:
    """Yield every row of a text that has two labels for one task."""
    for rows in repeated:
        for task in data.tasks:
            labels = data.labels[task.name]
            labelled = [row for row in rows if labels[row] != UNLABELLED]
            if len({labels[row] for row in labelled}) > 1:
                for row in labelled:
                    other = next(candidate for candidate in labelled if labels[candidate] != labels[row])
                    suggestion = describe_labels(task, labels[other])
                    yield Finding("conflict", row, other=other, task=task.name, suggestion=suggestion)


def near_copies(data: Dataset, embeddings: np.ndarray) -> Iterator[Finding]:
    """Yield each row whose text is nearly the same as an earlier, different one, and that earlier row."""
    rows = np.array([copies[0] for copies in rows_by_text(data)], dtype=int)
    vectors = normalize_rows(embeddings[rows])
    for start in range(1, len(rows), CHUNK_ROWS):
        end = min(start + CHUNK_ROWS, len(rows))
        cosines = vectors[start:end] @ vectors[:end].T
        cosines[np.arange(end) >= np.arange(start, end)[:, None]] = -1.0
        nearest = cosines.argmax(axis=1)
        best = cosines[np.arange(end - start), nearest]
        for k in np.flatnonzero(best >= NEAR_COPY_COSINE):
            yield Finding("near copy", int(rows[start + k]), float(best[k]), int(rows[nearest[k]]))


def suspicious_labels(data: Dataset, embeddings: np.ndarray, seed: int = 0) -> tuple[Finding, ...]:
    """Return the tenth of each task's rows whose labels are least probable given the other rows, the worst first.

    A label is scored by its probability from a classifier that has not seen the row's text: logistic regression on the
    frozen embedding and the row's labels for the other tasks, cross-validated; ranked by cleanlab's label quality score
    (Northcutt, Jiang and Chuang 2021). A label that only one text has cannot be checked in this way. In a multi-label
    task each label has a classifier, and the least probable label, or absence of one, scores the row.
    """
    findings = [
        finding
        for task in data.tasks
        for finding in (_suspicious_sets if task.multi else _suspicious)(data, task, embeddings, seed)
    ]
    return tuple(sorted(findings, key=lambda finding: finding.score))


def _suspicious(data: Dataset, task: Task, embeddings: np.ndarray, seed: int) -> list[Finding]:
    from cleanlab.rank import get_label_quality_scores  # takes two seconds to import

    name, labels = task.name, np.array(data.labels[task.name])
    texts = np.unique([text_key(text) for text in data.texts], return_inverse=True)[1]
    checkable = [k for k in range(len(task.labels)) if len(np.unique(texts[labels == k])) > 1]
    rows = np.flatnonzero(np.isin(labels, checkable))
    if len(checkable) < 2:
        return []
    known = np.searchsorted(checkable, labels[rows])
    features = np.hstack([normalize_rows(embeddings[rows]), *_other_labels(data, name, rows)])
    probabilities = _cross_validated(features, known, texts[rows], seed)
    scores = get_label_quality_scores(known, probabilities, method="self_confidence")
    predicted = probabilities.argmax(axis=1)
    worst = [
        k for k in np.argsort(scores, kind="stable")[: round(LISTED_SHARE * len(rows))] if predicted[k] != known[k]
    ]
    return [
        Finding("label", int(rows[k]), float(scores[k]), None, name, task.labels[checkable[predicted[k]]])
        for k in worst
    ]


def _suspicious_sets(data: Dataset, task: Task, embeddings: np.ndarray, seed: int) -> list[Finding]:
    rows = np.flatnonzero(is_labelled(data.labels[task.name]))
    values = [data.labels[task.name][row] for row in rows]
    texts = np.unique([text_key(text) for text in data.texts], return_inverse=True)[1][rows]
    given = multi_hot(values, len(task.labels))
    features = np.hstack([normalize_rows(embeddings[rows]), *_other_labels(data, task.name, rows)])
    probabilities = given.astype(float)
    for label in range(len(task.labels)):
        if all(len(np.unique(texts[given[:, label] == has])) > 1 for has in (False, True)):
            known = given[:, label].astype(int)
            probabilities[:, label] = _cross_validated(features, known, texts, seed)[:, 1]
    certainty = np.where(given, probabilities, 1 - probabilities)
    doubted = certainty.argmin(axis=1)  # the label whose presence or absence is the least probable
    scores = certainty.min(axis=1)
    worst = np.argsort(scores, kind="stable")[: round(LISTED_SHARE * len(rows))]
    suggested = [describe_labels(task, value ^ 1 << int(label)) for value, label in zip(values, doubted, strict=True)]
    return [
        Finding("label", int(rows[k]), float(scores[k]), None, task.name, suggested[k])
        for k in worst
        if scores[k] < DOUBTFUL
    ]


def _other_labels(data: Dataset, name: str, rows: np.ndarray) -> list[np.ndarray]:
    """Return the labels (n, labels + 1) of n rows for each other task, as 0 and 1; the last column is for none."""
    others = []
    for task in data.tasks:
        if task.name != name:
            hot = np.zeros((len(rows), len(task.labels) + 1))
            for position, row in enumerate(rows):
                labels = label_indices(task, data.labels[task.name][row])
                hot[position, list(labels or (-1,))] = OTHER_LABEL_WEIGHT
            others.append(hot)
    return others


def _cross_validated(features: np.ndarray, labels: np.ndarray, texts: np.ndarray, seed: int) -> np.ndarray:
    """Return the label probabilities (n, labels) of each row from a classifier trained on the folds it is not in."""
    from sklearn.linear_model import LogisticRegression

    folds = _folds(labels, texts, seed)
    probabilities = np.zeros((len(labels), labels.max() + 1))
    for fold in np.unique(folds):
        train, test = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        if len(np.unique(labels[train])) < 2:
            probabilities[np.ix_(test, np.unique(labels[train]))] = 1.0
            continue
        classifier = LogisticRegression(max_iter=200, tol=1e-3).fit(features[train], labels[train])
        probabilities[np.ix_(test, classifier.classes_)] = classifier.predict_proba(features[test])
    return probabilities


def _folds(labels: np.ndarray, texts: np.ndarray, seed: int) -> np.ndarray:
    """Return the fold of each row: stratified by label, in random order, with all rows of a text in one fold."""
    unique, first, inverse = np.unique(texts, return_index=True, return_inverse=True)
    random = np.random.default_rng(seed).random(len(unique))
    fold = np.empty(len(unique), dtype=int)
    fold[np.lexsort((random, labels[first]))] = np.arange(len(unique)) % FOLDS
    return fold[inverse]
