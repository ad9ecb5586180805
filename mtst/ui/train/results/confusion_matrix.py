"""Which labels were mistaken for which: the most confused pairs in words, and the confusion matrix of each task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from mtst.data.tasks import Task
from mtst.evaluation.scores import Confusion
from mtst.runs.history import History
from mtst.text import isolate_bidi, quantity, truncate
from mtst.ui.components.templates import render
from mtst.ui.plots.style import task_colour

MAX_PAIRS = 5
MAX_LABELS = 40
LARGE = 12  # labels above which the cells are smaller
REST = "other labels"


@dataclass(frozen=True)
class Pair:
    """A label that was mistaken for another, in `count` of its `rows`."""

    truth: str
    predicted: str
    count: int
    rows: int


@dataclass(frozen=True)
class Cell:
    """The rows with one label that were given one label.

    Attributes:
        correct: whether both labels are the same.
        count: how many rows these are.
        share: their share of the rows with the true label, in percent.
        key: that of the cell's button: `TASK|ROW|COLUMN`, all by their index.
        description: the cell in words.
    """

    correct: bool
    count: int
    share: float
    key: str
    description: str


@dataclass(frozen=True)
class Matrix:
    """The confusion matrix of one task; `other` counts the mistakes beyond the most frequent pairs."""

    task: str
    colour: str
    labels: Sequence[str]
    cells: Sequence[Sequence[Cell]]
    pairs: Sequence[Pair]
    mistakes: int
    other: int
    large: bool
    first: bool


def kept_epoch(history: History) -> Markup:
    """Return the matrices of each task at the epoch that is kept; nothing before the run is over."""
    return matrices(history.tasks, history.finished.confusion) if history.is_finished else Markup()


def matrices(tasks: Sequence[Task], counts: Mapping[str, Confusion], *, buttons: bool = False) -> Markup:
    """Return the matrix of each task that has labelled rows.

    Args:
        tasks: all tasks, in order.
        counts: rows by label and predicted label, by task name.
        buttons: whether each cell is a button.
    """
    labelled = [(number, task) for number, task in enumerate(tasks) if any(map(sum, counts.get(task.name, ())))]
    shown = [_matrix(number, task, counts[task.name]) for number, task in labelled]
    return render("train/confusion_matrix", matrices=shown, buttons=buttons) if shown else Markup()


def group_labels(labels: Sequence[str], counts: Confusion) -> tuple[list[str], list[list[int]]]:
    """Return the names of the rows of a matrix, and the indices of the labels that each stands for.

    At most `MAX_LABELS` rows: those with the most examples in their order, and the last one for all other labels.
    """
    if len(labels) <= MAX_LABELS:
        return list(labels), [[k] for k in range(len(labels))]
    size = [sum(row) for row in counts]
    largest = sorted(sorted(range(len(labels)), key=lambda k: -size[k])[: MAX_LABELS - 1])
    others = [k for k in range(len(labels)) if k not in set(largest)]
    return [*(labels[k] for k in largest), f"{len(others)} {REST}"], [*([k] for k in largest), others]


def _matrix(number: int, task: Task, counts: Confusion) -> Matrix:
    labels, groups = group_labels(task.labels, counts)
    grouped = [[sum(counts[i][j] for i in rows for j in columns) for columns in groups] for rows in groups]
    pairs = _mistaken_pairs(task.labels, counts)
    mistakes = sum(pair.count for pair in pairs)
    return Matrix(
        task=task.name,
        colour=task_colour(number),
        labels=labels,
        cells=[
            [_cell(labels, grouped, (number, i, j)) for j in range(len(labels))] for i in range(len(labels))
        ],
        pairs=pairs[:MAX_PAIRS],
        mistakes=mistakes,
        other=mistakes - sum(pair.count for pair in pairs[:MAX_PAIRS]),
        large=len(labels) > LARGE,
        first=number == 0,
    )  # fmt: skip


def _mistaken_pairs(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> list[Pair]:
    """Return the pairs of labels that were mistaken for each other, the most frequent first."""
    names = [isolate_bidi(truncate(label, 40)) for label in labels]
    pairs = [
        Pair(names[i], names[j], count, sum(row))
        for i, row in enumerate(counts)
        for j, count in enumerate(row)
        if i != j and count
    ]
    return sorted(pairs, key=lambda pair: -pair.count)


def _cell(labels: Sequence[str], counts: Sequence[Sequence[int]], index: tuple[int, int, int]) -> Cell:
    task, i, j = index
    count, total = counts[i][j], max(1, sum(counts[i]))
    truth, predicted = (isolate_bidi(truncate(labels[k], 40)) for k in (i, j))
    description = f"{quantity(count, 'row')}: {truth} predicted as {predicted}"
    return Cell(i == j, count, 100 * count / total, f"{task}|{i}|{j}", description)
