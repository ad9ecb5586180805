"""Labelled sentences: a table and its columns -> a dataset, with the rows that were left out and why."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from mtst.data.columns import check_labels
from mtst.data.labels import group_similar, normalize_label, sort_labels, trim_labels
from mtst.data.limits import Limits
from mtst.data.readers.records import Skipped
from mtst.data.table import Table
from mtst.data.tasks import Task, check_tasks
from mtst.errors import DataError

UNLABELLED = -1
MAX_TASKS = 8


@dataclass(frozen=True, eq=False)
class Dataset:
    """Sentences with a label index for each task, `UNLABELLED` where a row has no label for it.

    `labels[task.name]` is as long as `texts`; `lines` says where in the file each row begins.
    """

    texts: tuple[str, ...]
    tasks: tuple[Task, ...]
    labels: dict[str, tuple[int, ...]]
    lines: tuple[int, ...]
    skipped: tuple[Skipped, ...] = ()

    def __len__(self) -> int:
        return len(self.texts)

    def counts(self, task: Task) -> dict[str, int]:
        """Return how many rows carry each label of a task."""
        found = Counter(self.labels[task.name])
        return {label: found[index] for index, label in enumerate(task.labels)}

    def take(self, indices: Iterable[int]) -> "Dataset":
        """Return the rows at these places, in this order."""
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
    """Pick the sentences and the labels out of a table.

    A blank label means that the row has none for that task; a row without a sentence, or without any label, is
    skipped and listed, and so are the rows on the lines of `leave_out`. `merge` makes one label of those that differ
    only in case and blanks. `tasks` fixes the labels (for a test file): a label that they do not have is none.

    Raises:
        DataError: a column is missing or used twice, nothing is left, or a column cannot be labels.
    """
    limits = limits or Limits()
    if len(table.columns) == 1:
        raise DataError(f"{table.name} has one column only. Labels need a column of their own, one for each task.")
    if not 1 <= len(labels) <= MAX_TASKS or len({text, *labels}) <= len(labels):
        raise DataError(f"Choose one text column and one to {MAX_TASKS} label columns, each a different one.")
    sentences = table.column(text)
    known = {task.name: task.labels for task in tasks or ()}
    cells = {name: _labels(table.column(name), known.get(name), merge) for name in labels}
    left_out = frozenset(leave_out)
    skipped, kept = list(table.skipped), []
    for row, line in enumerate(table.lines):
        if not sentences[row].strip():
            skipped.append(Skipped(line, "no text"))
        elif len(sentences[row]) > limits.characters:
            skipped.append(Skipped(line, f"too long: more than {limits.characters:,} characters"))
        elif not any(column[row] for column in cells.values()):
            skipped.append(Skipped(line, "no label that the model knows" if known else "no label"))
        elif line in left_out:
            skipped.append(Skipped(line, "left out by choice"))
        else:
            kept.append(row)
    if not kept:
        raise DataError(f"No row of {table.name} has both a text in {text!r} and a label in {', '.join(labels)}.")
    if tasks is None:
        counts = {name: Counter(filter(None, (column[row] for row in kept))) for name, column in cells.items()}
        cells = {name: _merged(column, counts[name]) if merge else column for name, column in cells.items()}
        tasks = [_task(table, name, [cells[name][row] for row in kept], limits) for name in labels]
    index = {task.name: {label: place for place, label in enumerate(task.labels)} for task in tasks}
    return Dataset(
        texts=tuple(sentences[row].strip() for row in kept),
        tasks=check_tasks(tuple(tasks)),
        labels={name: tuple(index[name].get(cells[name][row], UNLABELLED) for row in kept) for name in labels},
        lines=tuple(table.lines[row] for row in kept),
        skipped=tuple(sorted(skipped, key=lambda row: row.line)),
    )


def _labels(cells: list[str], known: Sequence[str] | None, merge: bool) -> list[str]:
    """Return a label, or nothing, for each cell of a column."""
    if known is None:
        names = {cell: cell.strip() for cell in cells} if merge else trim_labels(cells)
        return [names.get(cell, "") for cell in cells]
    places = {normalize_label(label): label for label in known} if merge else {}
    names = places | {label.strip(): label for label in known} | {label: label for label in known}
    return [names.get(cell) or names.get(cell.strip()) or places.get(normalize_label(cell), "") for cell in cells]


def _merged(cells: list[str], counts: Counter[str]) -> list[str]:
    stays = {label: group[0] for group in group_similar(counts) for label in group}
    return [stays.get(cell, cell) for cell in cells]


def _task(table: Table, name: str, labels: Iterable[str], limits: Limits) -> Task:
    found = list(filter(None, labels))
    check_labels(table, name, found, limits)
    return Task(name, sort_labels(found))


def similar_labels(data: Dataset) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Return, by task, the groups of labels that `merge` would make one, each with the one that stays first."""
    found = {task.name: group_similar(Counter(data.counts(task))) for task in data.tasks}
    return {name: groups for name, groups in found.items() if groups}
