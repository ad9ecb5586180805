"""What was read of a file: every row is accounted for, in sentences, bars and tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from mtst.data.dataset import Dataset
from mtst.data.labels.names import rare_labels
from mtst.data.labels.sets import describe_labels
from mtst.data.row_report import RowReport
from mtst.data.tasks import Task
from mtst.evaluation.scores import small_sample_caution
from mtst.text import truncate
from mtst.ui.components.html import bars, table
from mtst.ui.components.templates import render
from mtst.ui.plots.style import task_colour

SKIPPED_SHOWN = 20
LABELS_SHOWN = 12
NAMES_SHOWN = 6
FIRST_ROWS = 5


@dataclass(frozen=True)
class LabelNames:
    """The first of several labels, with their number of rows where that matters, and how many more there are."""

    shown: Sequence[tuple[str, int | None]]
    more: int


def upload_report(report: RowReport, train: Dataset, validation: Dataset) -> Markup:
    """Return how many rows were read, used and skipped, how they are split, the labels of each task, the first rows."""
    data, file = report.data, report.table
    return render(
        "train/upload_report",
        report=report,
        file=file,
        skipped=len(data.skipped),
        reasons=", ".join(f"{count:,} {reason}" for reason, count in report.skip_reasons.items()),
        train_rows=len(train),
        validation_rows=len(validation),
        caution=small_sample_caution(len(validation)),
        unchecked=_names(_unchecked_labels(train, validation)),
        skipped_rows=_skipped_rows(report),
        first_rows=_first_rows(data),
        tasks=[_task(data, number, validation) for number in range(len(data.tasks))],
    )


def _unchecked_labels(train: Dataset, validation: Dataset) -> list[str]:
    """Return the labels that have rows to train on and none to check with."""
    return [
        label
        for task in validation.tasks
        for label, count in validation.counts(task).items()
        if not count and train.counts(task)[label]
    ]


def _names(labels: Sequence[str], counts: Mapping[str, int] | None = None) -> LabelNames | None:
    if not labels:
        return None
    shown = [(label, counts[label] if counts else None) for label in labels[:NAMES_SHOWN]]
    return LabelNames(shown, len(labels) - len(shown))


def _task(data: Dataset, number: int, validation: Dataset) -> dict[str, object]:
    """Return the values for one task: its labels as bars, the most frequent first, and what makes them difficult."""
    task = data.tasks[number]
    counts = dict(sorted(data.counts(task).items(), key=lambda item: -item[1]))
    most, labelled = max(1, *counts.values()), data.labelled_rows(task)
    rows = [(label, count / most, f"{count:,}") for label, count in list(counts.items())[:LABELS_SHOWN]]
    others = list(counts.values())[LABELS_SHOWN:]
    rest = f"and {len(others)} more labels with {sum(others):,} rows" if others else ""
    return {
        "name": task.name,
        "colour": task_colour(number),
        "labels": len(counts),
        "rows": labelled,
        "unlabelled": len(data) - labelled,
        "several": sum(counts.values()) / labelled if task.multi else None,
        "bars": bars(rows, rest),
        "majority": _majority(validation, task, counts),
        "rare": _names(rare_labels(counts), counts),
    }


def _majority(validation: Dataset, task: Task, counts: dict[str, int]) -> tuple[str, float] | None:
    """Return the most frequent label and its share of the validation rows; None without such rows."""
    checked = validation.counts(task)
    total = validation.labelled_rows(task)
    label = max(counts, key=counts.__getitem__)
    return (label, 100 * checked[label] / total) if total else None


def _skipped_rows(report: RowReport) -> Markup | None:
    skipped = report.data.skipped
    if not skipped:
        return None
    rows = [(f"{row.line:,}", row.reason) for row in skipped[:SKIPPED_SHOWN]]
    more = f", the first {SKIPPED_SHOWN} of {len(skipped):,}" if len(skipped) > SKIPPED_SHOWN else ""
    return table(("line", "why"), rows, caption=f"Skipped rows{more}", text_columns=(1,))


def _first_rows(data: Dataset) -> Markup:
    rows = [
        [
            f"{data.lines[row]:,}",
            truncate(text, 120),
            *(_label(task, data.labels[task.name][row]) for task in data.tasks),
        ]
        for row, text in enumerate(data.texts[:FIRST_ROWS])
    ]
    header = ["line", "text", *(truncate(task.name, 40) for task in data.tasks)]
    return table(header, rows, text_columns=range(1, len(header)))


def _label(task: Task, value: int) -> str:
    return truncate(describe_labels(task, value), 40)
