"""Labelled sentences: a table and a choice of columns -> a dataset, and the rows that are skipped."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from mtst.data.columns import check_labels
from mtst.data.labels import group_similar, normalize_label, sort_labels, trim_labels, unwrap_list
from mtst.data.limits import Limits
from mtst.data.oddities.finding import find_oddities
from mtst.data.readers.notes import Oddity
from mtst.data.readers.records import Skipped
from mtst.data.table import Table
from mtst.data.tasks import Task, check_tasks
from mtst.errors import DataError

UNLABELLED = -1
MAX_TASKS = 8


@dataclass(frozen=True, eq=False)
class Dataset:
    """Sentences with a label index for each task, `UNLABELLED` where a row has no label for it.

    `labels[task.name]` is as long as `texts`; `lines` holds the line of the file that each row starts on; `oddities` is
    what looks odd in the table that it was made from.
    """

    texts: tuple[str, ...]
    tasks: tuple[Task, ...]
    labels: dict[str, tuple[int, ...]]
    lines: tuple[int, ...]
    skipped: tuple[Skipped, ...] = ()
    oddities: tuple[Oddity, ...] = ()

    def __len__(self) -> int:
        return len(self.texts)

    def counts(self, task: Task) -> dict[str, int]:
        """Return the number of rows with each label of a task."""
        counts = Counter(self.labels[task.name])
        return {label: counts[index] for index, label in enumerate(task.labels)}

    def take(self, indices: Iterable[int]) -> "Dataset":
        """Return the rows at these indices, in this order."""
        order = list(indices)
        return Dataset(
            texts=tuple(self.texts[i] for i in order),
            tasks=self.tasks,
            labels={name: tuple(values[i] for i in order) for name, values in self.labels.items()},
            lines=tuple(self.lines[i] for i in order),
        )


def make_dataset(
    table: Table,
    text: str,
    labels: Sequence[str],
    tasks: Sequence[Task] | None = None,
    *,
    merge: bool = False,
    leave_out: Collection[int] = (),
    limits: Limits | None = None,
) -> Dataset:
    """Return the sentences and labels of a table as a dataset.

    A row with a blank label has none for that task. A row without a sentence or without any label is listed as skipped.

    Args:
        table: the table.
        text: the column of the sentences.
        labels: the columns of labels; each becomes a task.
        tasks: the tasks and labels of a model, for a test file: any other label is ignored.
        merge: whether labels that differ only in case, width and whitespace become one.
        leave_out: lines of the file to skip.
        limits: the longest text, and the most labels of a task.

    Raises:
        DataError: a column is missing or used twice, no row is left, or a column cannot hold labels.
    """
    limits = limits or Limits()
    if len(table.columns) == 1:
        raise DataError(f"{table.name} has one column only. Labels need a column of their own, one for each task.")
    if not 1 <= len(labels) <= MAX_TASKS or len({text, *labels}) <= len(labels):
        raise DataError(f"Choose one text column and one to {MAX_TASKS} label columns, each a different one.")
    sentences = table.column(text)
    known_labels = {task.name: task.labels for task in tasks or ()}
    cells = {name: _labels(_unwrapped(table.column(name)), known_labels.get(name), merge=merge) for name in labels}
    left_out = frozenset(leave_out)
    skipped, used = list(table.skipped), []
    for row, line in enumerate(table.lines):
        if not sentences[row].strip():
            skipped.append(Skipped(line, "no text"))
        elif len(sentences[row]) > limits.characters:
            skipped.append(Skipped(line, f"too long: more than {limits.characters:,} characters"))
        elif not any(column[row] for column in cells.values()):
            skipped.append(Skipped(line, "no label that the model knows" if known_labels else "no label"))
        elif line in left_out:
            skipped.append(Skipped(line, "left out by choice"))
        else:
            used.append(row)
    if not used:
        raise DataError(f"No row of {table.name} has both a text in {text!r} and a label in {', '.join(labels)}.")
    if tasks is None:
        counts = {name: Counter(filter(None, (column[row] for row in used))) for name, column in cells.items()}
        cells = {name: _merged(column, counts[name]) if merge else column for name, column in cells.items()}
        tasks = [_task(table, name, [cells[name][row] for row in used], limits) for name in labels]
    index = {task.name: {label: position for position, label in enumerate(task.labels)} for task in tasks}
    return Dataset(
        texts=tuple(sentences[row].strip() for row in used),
        tasks=check_tasks(tuple(tasks)),
        labels={name: tuple(index[name].get(cells[name][row], UNLABELLED) for row in used) for name in labels},
        lines=tuple(table.lines[row] for row in used),
        skipped=tuple(sorted(skipped, key=lambda row: row.line)),
        oddities=find_oddities(table, text, labels),
    )


def _unwrapped(cells: Sequence[str]) -> list[str]:
    """Return the cells of a column of labels with lists of one entry replaced by it."""
    unwrapped = {cell: unwrap_list(cell) for cell in set(cells)}
    return [unwrapped[cell] for cell in cells]


def _labels(cells: Sequence[str], known: Sequence[str] | None, *, merge: bool) -> list[str]:
    """Return the label of each cell of a column, or an empty string."""
    if known is None:
        names = {cell: cell.strip() for cell in cells} if merge else trim_labels(cells)
        return [names.get(cell, "") for cell in cells]
    similar = {normalize_label(label): label for label in known} if merge else {}
    names = similar | {label.strip(): label for label in known} | {label: label for label in known}
    return [names.get(cell) or names.get(cell.strip()) or similar.get(normalize_label(cell), "") for cell in cells]


def _merged(cells: Sequence[str], counts: Counter[str]) -> list[str]:
    """Replace each label by the most frequent one of those that are similar to it."""
    merged = {label: group[0] for group in group_similar(counts) for label in group}
    return [merged.get(cell, cell) for cell in cells]


def _task(table: Table, name: str, labels: Iterable[str], limits: Limits) -> Task:
    present = list(filter(None, labels))
    check_labels(table, name, present, limits)
    return Task(name, sort_labels(present))


def similar_labels(data: Dataset) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Return, by task, the groups of labels that `merge` would make one, the most frequent label first."""
    similar = {task.name: group_similar(Counter(data.counts(task))) for task in data.tasks}
    return {name: groups for name, groups in similar.items() if groups}
