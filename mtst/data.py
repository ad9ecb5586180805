"""A labelled CSV, read without dropping anything silently: file -> Table -> Dataset -> train and validation."""

import csv
import io
import random
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mtst.errors import DataError
from mtst.tasks import Task, check_tasks

UNLABELLED = -1
MAX_TASKS = 8
MAX_LABELS = 200
ENCODINGS = ("utf-8-sig", "cp1252", "latin-1")  # the last one reads anything
DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class Skipped:
    """A row of the file that was not used: the line it starts on, counted from 1, and why."""

    line: int
    reason: str


@dataclass(frozen=True, eq=False)
class Table:
    """What a file holds: named columns and rows of text, each with its line number."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    skipped: tuple[Skipped, ...] = ()

    def column(self, name: str) -> list[str]:
        """Return the cells of one column.

        Raises:
            DataError: there is no such column; the message lists those that are.
        """
        if name not in self.columns:
            raise DataError(f"{self.name} has no column {name!r}. Its columns are: {', '.join(self.columns)}.")
        index = self.columns.index(name)
        return [row[index] for row in self.rows]


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
        wanted = max(1, round(len(groups) * share)) if len(groups) > 1 else 0
        step = len(groups) / wanted if wanted else 0
        chosen = {int((k + 0.5) * step) for k in range(wanted)}
        train = sorted(i for k, group in enumerate(groups) if k not in chosen for i in group)
        held_out = sorted(i for k, group in enumerate(groups) if k in chosen for i in group)
        return self.take(train), self.take(held_out)


def read_table(source: str | Path, max_rows: int = 1_000_000, max_megabytes: float = 1_000.0) -> Table:
    """Read a delimited text file with a header; the delimiter and the encoding are found.

    Raises:
        DataError: no such file, not text, too large, no header or no rows.
    """
    path = Path(source)
    try:
        size = path.stat().st_size
        raw = path.read_bytes() if size <= max_megabytes * 1e6 else None
    except OSError as error:
        raise DataError(f"{path.name or path} cannot be read: {error.strerror or error}.") from error
    if raw is None:
        raise DataError(f"{path.name} has {size / 1e6:.1f} MB; at most {max_megabytes:g} MB can be read here.")
    if b"\0" in raw[:65536]:
        raise DataError(f"{path.name} is not a text file. Save the table as CSV (UTF-8) and choose that file.")
    text = next(decoded for encoding in ENCODINGS if (decoded := _decode(raw, encoding)) is not None)
    return _parse(path.name, text, max_rows)


def _decode(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None


def _parse(name: str, text: str, max_rows: int) -> Table:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    csv.field_size_limit(max(len(text), 1))
    rows: list[tuple[str, ...]] = []
    lines: list[int] = []
    skipped: list[Skipped] = []
    columns: tuple[str, ...] = ()
    line = 1
    try:
        for cells in reader:
            start, line = line, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if not columns:
                columns = _header(cells)
            elif len(cells) != len(columns):
                skipped.append(Skipped(start, f"has {len(cells)} cells where the header has {len(columns)}"))
            elif len(rows) == max_rows:
                raise DataError(f"{name} has more than {max_rows:,} rows, the most that can be read here.")
            else:
                rows.append(tuple(cells))
                lines.append(start)
    except csv.Error as error:
        raise DataError(f"{name} cannot be read as CSV at line {reader.line_num}: {error}.") from error
    if not columns:
        raise DataError(f"{name} is empty. It needs a header line and rows below it.")
    if not rows:
        raise DataError(f"{name} has a header but no rows that can be used below it.")
    return Table(name, columns, tuple(rows), tuple(lines), tuple(skipped))


def _delimiter(text: str) -> str:
    """The candidate that the header holds most of, outside quotes; a comma where it holds none."""
    header = "".join(text.split("\n", 1)[0].split('"')[::2])
    return max(DELIMITERS, key=header.count)


def _header(cells: Sequence[str]) -> tuple[str, ...]:
    """Column names without surrounding blanks; a blank one gets a number, a repeated one a suffix."""
    names: list[str] = []
    for number, cell in enumerate(cells, 1):
        name = base = cell.strip() or f"column {number}"
        copies = 1
        while name in names:
            copies += 1
            name = f"{base} ({copies})"
        names.append(name)
    return tuple(names)


def guess_columns(table: Table) -> tuple[str, tuple[str, ...]]:
    """Guess the column of the sentences and up to two columns of labels; the labels may be none.

    The text is the column with the longest distinct cells. A label column repeats a few short values; those whose
    values are words come before those whose values are numbers.
    """
    cells = {name: [cell.strip() for cell in table.column(name)[:2000]] for name in table.columns}
    text = max(table.columns, key=lambda name: _textness(cells[name]))
    candidates = [name for name in table.columns if name != text and _labelness(cells[name]) > 0]
    best = sorted(candidates, key=lambda name: -_labelness(cells[name]))[:2]
    return text, tuple(name for name in table.columns if name in best)


def _textness(cells: list[str]) -> float:
    filled = [cell for cell in cells if cell]
    if not filled:
        return 0.0
    words = statistics.mean(len(cell.split()) for cell in filled)
    return words * len(set(filled)) / len(cells)


def _labelness(cells: list[str]) -> float:
    filled = [cell for cell in cells if cell]
    kinds = len(set(filled))
    if not 2 <= kinds <= min(50, max(2, len(filled) // 3)):
        return 0.0
    words = statistics.mean(not cell.replace(".", "").lstrip("-").isdigit() for cell in filled)
    return (0.05 + words) * len(filled) / len(cells) / kinds**0.25


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
    skipped, kept = list(table.skipped), []
    for row, line in enumerate(table.lines):
        if not sentences[row].strip():
            skipped.append(Skipped(line, "has no text"))
        elif len(sentences[row]) > max_characters:
            skipped.append(Skipped(line, f"has more than {max_characters:,} characters"))
        elif not any(column[row] for column in cells.values()):
            skipped.append(Skipped(line, "has no label"))
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
