"""Where a run's model is wrong on its held-out rows: sentences of a cell, the worst mistakes, scores by group."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from mtst.data.dataset import Dataset
from mtst.data.labels.sets import describe_labels
from mtst.data.tasks import Task
from mtst.errors import RunError
from mtst.evaluation.error_analysis import (
    PredictedRow,
    SliceScores,
    confident_errors,
    count_confusions,
    predicted_rows,
    scores_by_label,
    scores_by_length,
)
from mtst.text import isolate_bidi, quantity, truncate
from mtst.ui.components.events import UNCHANGED
from mtst.ui.components.html import problem, quiet, sentence_list, table
from mtst.ui.components.templates import render
from mtst.ui.plots.style import task_colour
from mtst.ui.services.model_data import ModelData, run_data
from mtst.ui.services.services import Services
from mtst.ui.train.results import confusion_matrix

MAX_MISTAKES = 10
MAX_SENTENCES = 100  # of one cell
MAX_GROUPS = 12  # by the labels of one other task
LOADING = quiet("Looking for the sentences …")
NO_MISTAKES = quiet("No errors on held-out rows.")


@dataclass(frozen=True)
class ErrorsView:
    """The matrices with buttons, the sentences of the cell that was pressed, and where the model is wrong."""

    matrices: Markup = UNCHANGED
    cell: str = ""
    errors: Markup | str = ""


def examine_run(services: Services, token: str | None) -> ErrorsView:
    """Return the errors of a run. Without saved predictions its matrices stay as they are."""
    try:
        data = run_data(services.runs.folder(token))
    except RunError:
        return ErrorsView()
    if data.predictions is None:
        return ErrorsView()
    tasks = data.held_out.tasks
    rows = {task.name: predicted_rows(data.predictions, data.held_out, task) for task in tasks}
    counts = {task.name: () if task.multi else count_confusions(rows[task.name], len(task.labels)) for task in tasks}
    sections = [
        _task(number, task, rows[task.name], data.held_out) for number, task in enumerate(tasks) if rows[task.name]
    ]
    return ErrorsView(
        matrices=confusion_matrix.matrices(tasks, counts, buttons=True),
        errors=render("train/errors", tasks=sections),
    )


def cell_sentences(services: Services, token: str | None, key: object) -> Iterator[str]:
    """Yield a message, then the sentences of a cell of a matrix by the key of its button."""
    yield LOADING
    try:
        yield _cell(run_data(services.runs.folder(token)), str(key))
    except RunError as error:
        yield problem(error)


def _cell(data: ModelData, key: str) -> Markup:
    """Return the rows of a cell, the most confident first."""
    try:
        number, i, j = map(int, key.split("|"))
        task = data.held_out.tasks[number]
        predicted = predicted_rows(data.predictions, data.held_out, task) if data.predictions else []
        counts = count_confusions(predicted, len(task.labels))
        names, groups = confusion_matrix.group_labels(task.labels, counts)
        truths, answers = groups[i], groups[j]
    except (ValueError, IndexError):
        return problem("There is no such cell.")
    rows = [row for row in predicted if row.truth in truths and row.predicted in answers]
    rows.sort(key=lambda row: -row.confidence)
    limit = "" if len(rows) <= MAX_SENTENCES else f", the {MAX_SENTENCES} of them with the most confidence"
    task_name, truth, answer = (isolate_bidi(truncate(text, 60)) for text in (task.name, names[i], names[j]))
    return render(
        "train/cell",
        key=key,
        title=f"{task_name}: {truth} predicted as {answer}",
        sentences=_sentences(
            task, rows[:MAX_SENTENCES], data.held_out, f"{quantity(len(rows), 'held-out row')}{limit}"
        ),
    )


def _task(number: int, task: Task, rows: Sequence[PredictedRow], validation: Dataset) -> dict[str, object]:
    """Return the values for one task: its worst mistakes, and its scores by group."""
    worst = confident_errors(rows)
    shown = f"the {MAX_MISTAKES} most confident of" if len(worst) > MAX_MISTAKES else "all"
    name = isolate_bidi(truncate(task.name, 60))
    title = f"{name}: {shown} {len(worst):,} mistakes in {quantity(len(rows), 'held-out row')}"
    return {
        "name": task.name,
        "colour": task_colour(number),
        "first": number == 0,
        "mistakes": _sentences(task, worst[:MAX_MISTAKES], validation, title) if worst else NO_MISTAKES,
        "groups": [
            _scores(task, "text length", scores_by_length(task, rows, validation)),
            *(
                _scores(task, other.name, scores_by_label(task, rows, validation, other))
                for other in validation.tasks
                if other != task
            ),
        ],
    }


def _sentences(task: Task, rows: Sequence[PredictedRow], validation: Dataset, title: str) -> Markup:
    """Return rows with the predicted and the true label, and the probability of each."""
    facts = (
        (
            validation.texts[row.row],
            [
                ("predicted", _percent(describe_labels(task, row.predicted), row.confidence)),
                ("actual", _percent(describe_labels(task, row.truth), row.true_probability)),
                ("line", f"{validation.lines[row.row]:,}"),
            ],
        )
        for row in rows
    )
    return sentence_list(f"{title}, with the probability of each label", facts)


def _percent(label: str, probability: float) -> str:
    return f"{truncate(label, 50)} {100 * probability:.0f}%"


def _scores(task: Task, kind: str, groups: Sequence[SliceScores]) -> Markup:
    """Return the scores of groups of rows; groups too small to rely on are marked."""
    if not groups:
        return Markup()
    rows = [
        (
            truncate(group.name, 60) + (" (too few rows)" if group.is_small else ""),
            f"{group.rows:,}",
            f"{100 * group.accuracy:.1f}%",
            f"{100 * group.macro_f1:.1f}%",
        )
        for group in groups[:MAX_GROUPS]
    ]
    title = f"{isolate_bidi(truncate(task.name, 60))} by {isolate_bidi(truncate(kind, 60))}"
    scores = table((truncate(kind, 60), "rows", "accuracy", "macro-F1"), rows, caption=title)
    if len(groups) <= MAX_GROUPS:
        return scores
    return scores + quiet(f"{len(groups) - MAX_GROUPS:,} labels with fewer rows are left out.")
