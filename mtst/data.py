"""Labelled sentences: table -> dataset -> train and validation, with the rows that were left out and why."""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mtst.errors import DataError
from mtst.tables import Skipped, Table
from mtst.tasks import Task, check_tasks

UNLABELLED = -1
MAX_TASKS = 8
MAX_LABELS = 200


@dataclass(frozen=True, eq=False)
class Dataset:
    """Sentences with a label index for each task, `UNLABELLED` where a row has no label for it.

    `labels[task.name]` is as long as `texts`.
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

    def split(self, share: float = 0.15, seed: int = 0) -> tuple["Dataset", "Dataset"]:
        """Split into train and validation, alike in their mix of labels; copies of a text stay on one side.

        The distinct texts are ordered by their labels, shuffled within equal ones, and every 1/`share`-th of them
        goes to validation. So each combination of labels is drawn in proportion, whatever its size, and no set is too
        small to be split: two distinct texts give one to each side.
        """
        places: dict[str, list[int]] = {}
        for index, text in enumerate(self.texts):
            places.setdefault(text.strip().casefold(), []).append(index)
        groups = list(places.values())
        random.Random(seed).shuffle(groups)  # noqa: S311 (a draw of rows, not a secret)
        groups.sort(key=lambda group: [values[group[0]] for values in self.labels.values()])
        wanted = min(max(1, round(len(groups) * share)), len(groups) - 1)
        step = len(groups) / wanted if wanted else 0
        chosen = {int((k + 0.5) * step) for k in range(wanted)}
        train = sorted(i for k, group in enumerate(groups) if k not in chosen for i in group)
        held_out = sorted(i for k, group in enumerate(groups) if k in chosen for i in group)
        return self.take(train), self.take(held_out)


def make_dataset(
    table: Table, text: str, labels: Sequence[str], tasks: Sequence[Task] | None = None, max_characters: int = 20_000
) -> Dataset:
    """Pick the sentences and the labels out of a table.

    A blank label means that the row has none for that task; a row without a sentence, or without any label, is
    skipped and listed. `tasks` fixes the labels (for a test file): a label that they do not have is none.

    Raises:
        DataError: a column is missing or used twice, nothing is left, or a column has too many labels to be one.
    """
    if not 1 <= len(labels) <= MAX_TASKS or len({text, *labels}) <= len(labels):
        raise DataError(f"Choose one text column and one to {MAX_TASKS} label columns, each a different one.")
    sentences = table.column(text)
    cells = {name: [cell.strip() for cell in table.column(name)] for name in labels}
    known = {task.name: set(task.labels) for task in tasks or ()}
    skipped, kept = list(table.skipped), []
    for row, line in enumerate(table.lines):
        found = [name for name, column in cells.items() if column[row] and (not known or column[row] in known[name])]
        if not sentences[row].strip():
            skipped.append(Skipped(line, "has no text"))
        elif len(sentences[row]) > max_characters:
            skipped.append(Skipped(line, f"has more than {max_characters:,} characters"))
        elif not found:
            skipped.append(Skipped(line, "has no label that the model knows" if known else "has no label"))
        else:
            kept.append(row)
    if not kept:
        raise DataError(f"No row of {table.name} has both a text in {text!r} and a label in {', '.join(labels)}.")
    if tasks is None:
        tasks = [_task(table, name, {cells[name][row] for row in kept} - {""}) for name in labels]
    index = {task.name: {label: place for place, label in enumerate(task.labels)} for task in tasks}
    return Dataset(
        texts=tuple(sentences[row].strip() for row in kept),
        tasks=check_tasks(tuple(tasks)),
        labels={name: tuple(index[name].get(cells[name][row], UNLABELLED) for row in kept) for name in labels},
        lines=tuple(table.lines[row] for row in kept),
        skipped=tuple(sorted(skipped, key=lambda row: row.line)),
    )


def _task(table: Table, name: str, labels: set[str]) -> Task:
    if not labels:
        raise DataError(f"Column {name!r} of {table.name} has no label in any row that has a text.")
    if len(labels) > MAX_LABELS:
        raise DataError(
            f"Column {name!r} of {table.name} has {len(labels):,} different values, more than the {MAX_LABELS} labels "
            "a task can have here. Choose the column that holds the label."
        )
    return Task(name, tuple(sorted(labels)))
