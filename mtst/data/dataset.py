"""Labelled sentences: a table and a choice of columns -> a dataset, and the rows that are skipped."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from mtst.data.columns import check_labels
from mtst.data.labels.columns import LabelColumns, unwrap_list
from mtst.data.labels.names import group_similar, normalize_label, sort_labels, trim_labels
from mtst.data.labels.sets import is_labelled, label_indices, to_mask
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
    """Sentences with their labels for each task.

    `labels[task.name]` is as long as `texts`. It holds the index of the label of each row, in a multi-label task the
    bit mask of its labels (see `mtst.data.labels.sets`), and `UNLABELLED` where a row has no label for the task.
    `lines` holds the line of the file that each row starts on, `oddities` what looks odd in the table that it was made
    from.
    """

    texts: tuple[str, ...]
    tasks: tuple[Task, ...]
    labels: dict[str, tuple[int, ...]]
    lines: tuple[int, ...]
    skipped: tuple[Skipped, ...] = ()
    oddities: tuple[Oddity, ...] = ()

    def __len__(self) -> int:
        return len(self.texts)

    def with_oddities(self, more: Sequence[Oddity]) -> "Dataset":
        """Return the same rows with more that looks odd, such as what an encoder does not read."""
        return replace(self, oddities=(*self.oddities, *more))

    def counts(self, task: Task) -> dict[str, int]:
        """Return the number of rows with each label of a task."""
        values = Counter(self.labels[task.name])
        counts = Counter[int]()
        for value, count in values.items():
            for index in label_indices(task, value):
                counts[index] += count
        return {label: counts[index] for index, label in enumerate(task.labels)}

    def labelled_rows(self, task: Task) -> int:
        """Return the number of rows that are labelled for a task."""
        return int(is_labelled(self.labels[task.name]).sum())

    def take(self, indices: Iterable[int]) -> "Dataset":
        """Return the rows at these indices, in this order."""
        order = list(indices)
        return Dataset(
            texts=tuple(self.texts[i] for i in order),
            tasks=self.tasks,
            labels={name: tuple(values[i] for i in order) for name, values in self.labels.items()},
            lines=tuple(self.lines[i] for i in order),
        )


Cells = list[tuple[str, ...] | None]  # the labels of each row for one task; None where it is not labelled


def make_dataset(
    table: Table,
    text: str,
    labels: Sequence[str | LabelColumns],
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
        labels: the columns of labels, each of which becomes a task with one label a row; `LabelColumns` become a
            multi-label task. `guess_label_columns` tells them apart.
        tasks: the tasks and labels of a model, for a test file: any other label is ignored.
        merge: whether labels that differ only in case, width and whitespace become one.
        leave_out: lines of the file to skip.
        limits: the longest text, and the most labels of a task.

    Raises:
        DataError: a column is missing or used twice, no row is left, or a column cannot hold labels.
    """
    limits, leave_out = limits or Limits(), frozenset(leave_out)
    if len(table.columns) == 1:
        raise DataError(f"{table.name} has one column only. Labels need a column of their own, one for each task.")
    multi = {columns.name: columns for columns in labels if isinstance(columns, LabelColumns)}
    names = [columns if isinstance(columns, str) else columns.name for columns in labels]
    used_columns = [name for each in labels for name in ((each,) if isinstance(each, str) else each.columns)]
    _check_columns(text, names, used_columns)
    known = {task.name: task.labels for task in tasks or ()}
    cells = {name: _read_labels(table, multi.get(name, name), known.get(name), merge=merge) for name in names}
    sentences = table.column(text)
    used, skipped = [], list(table.skipped)
    for row, line in enumerate(table.lines):
        has_label = any(column[row] is not None for column in cells.values())
        if reason := _why_skipped(sentences[row], limits, has_label=has_label, is_known=bool(known)):
            skipped.append(Skipped(line, reason))
        elif line in leave_out:
            skipped.append(Skipped(line, "left out by choice"))
        else:
            used.append(row)
    if not used:
        raise DataError(f"No row of {table.name} has both a text in {text!r} and a label in {', '.join(names)}.")
    if tasks is None:
        if merge:
            cells = {name: _merged(column, used) for name, column in cells.items()}
        tasks = [_task(table, name, multi.get(name), [cells[name][row] for row in used], limits) for name in names]
    return Dataset(
        texts=tuple(sentences[row].strip() for row in used),
        tasks=check_tasks(tuple(tasks)),
        labels={task.name: _values(task, [cells[task.name][row] for row in used]) for task in tasks},
        lines=tuple(table.lines[row] for row in used),
        skipped=tuple(sorted(skipped, key=lambda row: row.line)),
        oddities=find_oddities(table, text, labels),
    )


def _check_columns(text: str, names: Sequence[str], columns: Sequence[str]) -> None:
    """Refuse a choice of columns that are too many, or not all different."""
    if not 1 <= len(names) <= MAX_TASKS or len({text, *columns}) <= len(columns):
        raise DataError(f"Choose one text column and one to {MAX_TASKS} label columns, each a different one.")
    if len(set(names)) < len(names):
        raise DataError(f"Each task needs a name of its own, not {', '.join(map(repr, names))}.")


def _why_skipped(text: str, limits: Limits, *, has_label: bool, is_known: bool) -> str:
    """Return why a row cannot be used; an empty string if it can."""
    if not text.strip():
        return "no text"
    if len(text) > limits.characters:
        return f"too long: more than {limits.characters:,} characters"
    if has_label:
        return ""
    return "no label that the model knows" if is_known else "no label"


def _read_labels(table: Table, columns: str | LabelColumns, known: Sequence[str] | None, *, merge: bool) -> Cells:
    """Return the labels of each row; of known ones only, if these are given."""
    if isinstance(columns, LabelColumns):
        cells = columns.read(table)
    else:
        unwrapped = {cell: unwrap_list(cell) for cell in set(table.column(columns))}
        cells = [(label,) if (label := unwrapped[cell]).strip() else None for cell in table.column(columns)]
    parts = {label for row in cells for label in row or ()}
    if known is None:
        names = {label: label.strip() for label in parts} if merge else trim_labels(parts)
    else:
        similar = {normalize_label(label): label for label in known} if merge else {}
        exact = {label.strip(): label for label in known} | {label: label for label in known}
        names = {
            label: exact.get(label) or exact.get(label.strip()) or similar.get(normalize_label(label), "")
            for label in parts
        }
    return [_renamed(row, names) for row in cells]


def _renamed(row: tuple[str, ...] | None, names: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return the labels of a row under other names; a row whose labels have none is not labelled."""
    if not row:
        return row
    return tuple(dict.fromkeys(name for label in row if (name := names.get(label, "")))) or None


def _merged(cells: Cells, used: Iterable[int]) -> Cells:
    """Replace each label by the most frequent one of those that are similar to it."""
    counts = Counter(label for row in used for label in cells[row] or ())
    merged = {label: group[0] for group in group_similar(counts) for label in group}
    return [_renamed(row, {label: merged.get(label, label) for label in row or ()}) for row in cells]


def _task(table: Table, name: str, columns: LabelColumns | None, cells: Cells, limits: Limits) -> Task:
    present = [label for row in cells for label in row or ()]
    check_labels(table, name, present, limits)
    return Task(name, sort_labels(present), multi=columns is not None)


def _values(task: Task, cells: Cells) -> tuple[int, ...]:
    """Return the labels of each row as `Dataset.labels` holds them."""
    index = {label: position for position, label in enumerate(task.labels)}
    if task.multi:
        return tuple(UNLABELLED if row is None else to_mask(index[label] for label in row) for row in cells)
    return tuple(index[row[0]] if row else UNLABELLED for row in cells)


def similar_labels(data: Dataset) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Return, by task, the groups of labels that `merge` would make one, the most frequent label first."""
    similar = {task.name: group_similar(Counter(data.counts(task))) for task in data.tasks}
    return {name: groups for name, groups in similar.items() if groups}
