"""What was taken for what: the most confused pairs in words, and the whole table of each task."""

from collections.abc import Mapping, Sequence

from mtst.data.tasks import Task
from mtst.evaluation.scores import Confusion
from mtst.runs.history import History
from mtst.text import escape_html, isolate_bidi, truncate
from mtst.ui.components.html import quiet
from mtst.ui.plots.style import task_colour

PAIRS = 5
LABELS_SHOWN = 40
REST = "all others"


def mistakes(history: History) -> str:
    """Return the confusions of each task at the epoch that is kept; nothing before the run is over."""
    return matrices(history.tasks, history.finished.confusion) if history.is_finished else ""


def matrices(tasks: Sequence[Task], counts: Mapping[str, Confusion], *, opens: bool = False) -> str:
    """Return the confusions of each task that has labelled rows.

    Args:
        tasks: all tasks, in their order.
        counts: rows by label and predicted label, by task name.
        opens: whether a cell is a button, whose key is `TASK|ROW|COLUMN`: the task's number and places in `shown`.
    """
    return "".join(
        _task(number, task, counts[task.name], opens)
        for number, task in enumerate(tasks)
        if any(map(sum, counts.get(task.name, ())))
    )


def shown(labels: Sequence[str], counts: Confusion) -> tuple[list[str], list[list[int]]]:
    """Return the names of the rows of a matrix, and which labels each stands for.

    As many labels are kept as can be read, those with the most rows, in their order; the others share the last place.
    """
    if len(labels) <= LABELS_SHOWN:
        return list(labels), [[k] for k in range(len(labels))]
    size = [sum(row) for row in counts]
    kept = sorted(sorted(range(len(labels)), key=lambda k: -size[k])[: LABELS_SHOWN - 1])
    rest = [k for k in range(len(labels)) if k not in set(kept)]
    return [*(labels[k] for k in kept), f"{len(rest)} {REST}"], [*([k] for k in kept), rest]


def _task(number: int, task: Task, counts: Confusion, opens: bool) -> str:
    labels, groups = shown(task.labels, counts)
    counts = tuple(tuple(sum(counts[i][j] for i in rows for j in columns) for columns in groups) for rows in groups)
    name = f'<span dir="auto">{escape_html(truncate(task.name, 60))}</span>'
    dot = f'<i class="dot" style="--hue: {task_colour(number)}"></i>'
    opened = "open" if number == 0 else ""
    matrix = _matrix(task.name, labels, counts, number if opens else None)
    return (
        f'<section class="mistakes" style="--hue: {task_colour(number)}"><h3>{dot}{name}</h3>{_pairs(labels, counts)}'
        f"<details {opened}><summary>Confusion matrix of {name}</summary>{matrix}</details>"
        "</section>"
    )


def _pairs(labels: Sequence[str], counts: Confusion) -> str:
    """Say which labels were mistaken most often."""
    wrong = sorted(
        ((count, i, j) for i, row in enumerate(counts) for j, count in enumerate(row) if i != j and count),
        key=lambda found: -found[0],
    )
    if not wrong:
        return quiet("No held-out row was mistaken.")
    total = sum(count for count, _, _ in wrong)
    items = "".join(
        f"<li>{escape_html(isolate_bidi(truncate(labels[i], 40)))} taken for {escape_html(isolate_bidi(truncate(labels[j], 40)))}: "
        f"<b>{count:,}</b> of {sum(counts[i]):,} rows</li>"
        for count, i, j in wrong[:PAIRS]
    )
    rest = sum(count for count, _, _ in wrong[PAIRS:])
    more = quiet(f"{rest:,} of the {total:,} mistakes are of other kinds.") if rest else ""
    return f'<ul class="story">{items}</ul>{more}'


def _matrix(task: str, labels: Sequence[str], counts: Confusion, number: int | None) -> str:
    """Return the table: a row for each true label, a column for each predicted one, shares of the row as colour."""
    names = [escape_html(truncate(label, 30)) for label in labels]
    head = "".join(f'<th scope="col"><span dir="auto">{name}</span></th>' for name in names)
    body = "".join(
        f'<tr><th scope="row"><span dir="auto">{names[i]}</span></th>{_cells(i, row, labels, number)}</tr>'
        for i, row in enumerate(counts)
    )
    title = escape_html(truncate(task, 60))
    small = "small" if len(labels) > 12 else ""
    said = (
        "Rows: the true label. Columns: what the model said. In each cell: held-out rows, and their share of the row."
    )
    more = "" if number is None else " Press a cell to read its sentences."
    return (
        f'{quiet(said + more)}<div class="scroll" role="region" aria-label="Confusion matrix of {title}" tabindex="0">'
        f'<table class="confusion {small}"><thead><tr><th scope="col">true ↓ said →</th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _cells(i: int, row: Sequence[int], labels: Sequence[str], number: int | None) -> str:
    return "".join(
        f'<td class="{"right" if i == j else "wrong"}" style="--p: {100 * count / max(1, sum(row)):.0f}%">'
        f"{_cell(i, j, row, labels, number)}</td>"
        for j, count in enumerate(row)
    )


def _cell(i: int, j: int, row: Sequence[int], labels: Sequence[str], number: int | None) -> str:
    """Return what stands in a cell: a count and its share of the row, to be pressed if the task has a number."""
    if not row[j]:
        return '<span class="none">·</span>'
    count = f"{row[j]:,}<small>{100 * row[j] / sum(row):.0f} %</small>"
    if number is None:
        return count
    rows = "1 row" if row[j] == 1 else f"{row[j]:,} rows"
    name = escape_html(
        f"{rows}: true {isolate_bidi(truncate(labels[i], 40))}, said {isolate_bidi(truncate(labels[j], 40))}"
    )
    return f'<button type="button" data-key="{number}|{i}|{j}" aria-label="{name}">{count}</button>'
