"""What was read of a file, in words, bars and tables: nothing that happened to a row goes unsaid."""

from collections.abc import Sequence

from mtst.data.dataset import Dataset
from mtst.data.labels import rare_labels
from mtst.data.row_report import RowReport
from mtst.data.tasks import Task
from mtst.text import escape_html, truncate
from mtst.ui.components.html import bars, table
from mtst.ui.plots.style import task_colour

SKIPPED_SHOWN = 20
LABELS_SHOWN = 12
NAMES_SHOWN = 6
FIRST_ROWS = 5


def report(upload: RowReport, train: Dataset, held_out: Dataset) -> str:
    """Return what was read, kept and skipped, how it is split, the labels of each task, and the first rows."""
    data = upload.data
    lines = [_read(upload), _split(train, held_out)]
    if truncated := upload.rows_truncated:
        lines.append(
            f"<b>{truncated:,}</b> {'text is' if truncated == 1 else 'texts are'} longer than the "
            f"{upload.max_tokens:,} tokens that the encoder reads: what comes after does not count."
        )
    if upload.table.undecodable:
        lines.append(f"{upload.table.undecodable:,} characters could not be decoded and show as \ufffd.")
    parts = [f'<p class="report">{line}</p>' for line in lines]
    parts += [_skipped(upload), _first_rows(data)]
    parts += [_labels(data, number, held_out) for number in range(len(data.tasks))]
    return "".join(parts)


def _read(upload: RowReport) -> str:
    reasons = ", ".join(f"{count:,} {escape_html(reason)}" for reason, count in upload.skip_reasons.items())
    gone = len(upload.data.skipped)
    end = f'<span class="warn"><b>{gone:,}</b> skipped</span> ({reasons})' if gone else "none skipped"
    table = upload.table
    return (
        f'<span dir="auto">{escape_html(truncate(table.name, 120))}</span> ({escape_html(table.format)}): '
        f"<b>{upload.rows_read:,}</b> rows read, <b>{upload.rows_used:,}</b> used, {end}."
    )


def _split(train: Dataset, held_out: Dataset) -> str:
    """Say how the rows are split, and which labels cannot be checked."""
    missing = [
        label
        for task in held_out.tasks
        for label, count in held_out.counts(task).items()
        if not count and train.counts(task)[label]
    ]
    alone = f" Too rare to be checked: {_names(missing)}." if missing else ""
    return (
        f"<b>{len(train):,}</b> to train on, <b>{len(held_out):,}</b> held out to check with: each label's share is "
        f"kept for all tasks together, and copies of a text stay on one side.{alone}"
    )


def _name(label: str) -> str:
    return f'“<span dir="auto">{escape_html(truncate(label, 40))}</span>”'


def _names(labels: Sequence[str], counts: dict[str, int] | None = None) -> str:
    """Return the first labels, each with its number of rows if there are counts."""
    shown = ", ".join(_name(label) + (f" ({counts[label]:,})" if counts else "") for label in labels[:NAMES_SHOWN])
    return shown + (f" and {len(labels) - NAMES_SHOWN:,} more" if len(labels) > NAMES_SHOWN else "")


def _labels(data: Dataset, number: int, held_out: Dataset) -> str:
    """Return the labels of one task as bars, the most frequent first, and what they make difficult."""
    task = data.tasks[number]
    counts = dict(sorted(data.counts(task).items(), key=lambda item: -item[1]))
    most = max(1, *counts.values())
    rows = [(label, count / most, f"{count:,}") for label, count in list(counts.items())[:LABELS_SHOWN]]
    others = list(counts.values())[LABELS_SHOWN:]
    rest = f"and {len(others)} more labels with {sum(others):,} rows" if others else ""
    total = sum(counts.values())
    blank = f"; {len(data) - total:,} have none" if total < len(data) else ""
    return (
        f'<section class="labels" style="--task: {task_colour(number)}">'
        f'<h3><span dir="auto">{escape_html(truncate(task.name, 80))}</span> '
        f"<small>{len(counts)} labels, {total:,} rows{blank}</small></h3>"
        f'{bars(rows, rest)}<p class="quiet">{_majority(held_out, task, counts)}{_rare(counts)}</p></section>'
    )


def _majority(held_out: Dataset, task: Task, counts: dict[str, int]) -> str:
    found = held_out.counts(task)
    total = sum(found.values())
    if not total:
        return "No held-out row has a label, so this task cannot be checked."
    label = max(counts, key=counts.__getitem__)
    return f"Always answering {_name(label)} is right for {100 * found[label] / total:.1f} % of the held-out rows."


def _rare(counts: dict[str, int]) -> str:
    labels = rare_labels(counts)
    if not labels:
        return ""
    return f" Rare: {_names(labels, counts)}. Under Settings you can give rare labels more weight."


def _skipped(upload: RowReport) -> str:
    gone = upload.data.skipped
    if not gone:
        return ""
    rows = [(f"{row.line:,}", row.reason) for row in gone[:SKIPPED_SHOWN]]
    more = f", the first {SKIPPED_SHOWN} of {len(gone):,}" if len(gone) > SKIPPED_SHOWN else ""
    made = table(("line", "why"), rows, caption=f"Skipped rows{more}", text_columns=(1,))
    return f"<details><summary>Skipped rows</summary>{made}</details>"


def _first_rows(data: Dataset) -> str:
    rows = [
        [
            f"{data.lines[row]:,}",
            truncate(text, 120),
            *(truncate(task.labels[k], 40) if (k := data.labels[task.name][row]) >= 0 else "–" for task in data.tasks),
        ]
        for row, text in enumerate(data.texts[:FIRST_ROWS])
    ]
    header = ["line", "text", *(truncate(task.name, 40) for task in data.tasks)]
    made = table(header, rows, text_columns=range(1, len(header)))
    return f'<details class="preview" open><summary>First rows</summary>{made}</details>'
