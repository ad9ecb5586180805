"""Where a run's model is wrong on its held-out rows: the sentences of each cell, the worst ones, scores by group."""

from collections.abc import Iterator, Sequence

import gradio as gr

from mtst.data.dataset import Dataset
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
from mtst.text import escape_html, isolate_bidi, truncate
from mtst.ui.components.html import problem, quiet, table
from mtst.ui.components.sentence_list import sentence_list
from mtst.ui.plots.style import task_colour
from mtst.ui.services.model_data import ModelData, run_data
from mtst.ui.services.services import Services
from mtst.ui.train.results import confusion_matrix

WORST = 10
SENTENCES = 100  # of one cell
GROUPS = 12  # of one other task
OPENING = quiet("Looking for the sentences …")
HELD_OUT = "What follows is about held-out rows too: the model has not learnt from them."


def examine(services: Services, token: str | None) -> tuple[object, str, str]:
    """Return the matrices whose cells can be pressed, an empty place for a cell's sentences, and the errors of a run.

    A run that is not over, or that kept no answers, leaves the matrices as they are.
    """
    try:
        known = run_data(services.runs.folder(token))
    except RunError:
        return gr.skip(), "", ""
    if known.predictions is None:
        return gr.skip(), "", ""
    tasks = known.held_out.tasks
    found = {task.name: predicted_rows(known.predictions, known.held_out, task) for task in tasks}
    counts = {task.name: count_confusions(found[task.name], len(task.labels)) for task in tasks}
    sections = "".join(
        _task(number, task, found[task.name], known.held_out) for number, task in enumerate(tasks) if found[task.name]
    )
    return confusion_matrix.matrices(tasks, counts, opens=True), "", f"{quiet(HELD_OUT)}{sections}"


def sentences(services: Services, token: str | None, key: object) -> Iterator[str]:
    """Yield the sentences behind a cell of a matrix; `key` is that of its button."""
    yield OPENING
    try:
        known = run_data(services.runs.folder(token))
        yield _cell(known, str(key))
    except RunError as error:
        yield problem(error)


def _cell(known: ModelData, key: str) -> str:
    """Return the rows of a cell, those first that were answered with the most confidence."""
    try:
        number, i, j = map(int, key.split("|"))
        task = known.held_out.tasks[number]
        found = predicted_rows(known.predictions, known.held_out, task) if known.predictions else []
        names, groups = confusion_matrix.shown(task.labels, count_confusions(found, len(task.labels)))
        true, said = (names[i], groups[i]), (names[j], groups[j])
    except (ValueError, IndexError):
        return problem("There is no such cell.")
    rows = [each for each in found if each.truth in true[1] and each.predicted in said[1]]
    rows.sort(key=lambda each: -each.confidence)
    title = (
        f'<h3 class="asked" tabindex="-1" data-of="{escape_html(key)}">'
        f"{escape_html(isolate_bidi(truncate(task.name, 60)))}: true {escape_html(isolate_bidi(truncate(true[0], 60)))}, "
        f"said {escape_html(isolate_bidi(truncate(said[0], 60)))}</h3>"
    )
    shown = "" if len(rows) <= SENTENCES else f", the {SENTENCES} of them with the most confidence"
    made = _rows(task, rows[:SENTENCES], known.held_out, f"{_many(len(rows))}{shown}")
    return f'<section class="cell">{title}{made}</section>'


def _many(rows: int) -> str:
    return "1 held-out row" if rows == 1 else f"{rows:,} held-out rows"


def _task(number: int, task: Task, found: Sequence[PredictedRow], held_out: Dataset) -> str:
    """Return the worst mistakes of a task and its scores by group."""
    name = f'<span dir="auto">{escape_html(truncate(task.name, 60))}</span>'
    dot = f'<i class="dot" style="--hue: {task_colour(number)}"></i>'
    worst = confident_errors(found)
    made = (
        _rows(task, worst[:WORST], held_out, _worst_of(task, worst, found))
        if worst
        else quiet("No held-out row was mistaken.")
    )
    groups = [_scores(task, "text length", scores_by_length(found, held_out))]
    groups += [
        _scores(task, other.name, scores_by_label(found, held_out, other)) for other in held_out.tasks if other != task
    ]
    opened = "open" if number == 0 else ""
    return (
        f'<section class="mistakes"><h3>{dot}{name}: where it is wrong</h3>'
        f"<details {opened}><summary>Worst mistakes of {name}</summary>{made}</details>"
        f"<details><summary>Scores of {name} by group</summary>{''.join(groups)}</details></section>"
    )


def _worst_of(task: Task, worst: Sequence[PredictedRow], found: Sequence[PredictedRow]) -> str:
    first = f"the {WORST} most confident of" if len(worst) > WORST else "all"
    return f"{isolate_bidi(truncate(task.name, 60))}: {first} {len(worst):,} mistakes in {_many(len(found))}"


def _rows(task: Task, found: Sequence[PredictedRow], held_out: Dataset, title: str) -> str:
    """Return the rows of some answers: what was said and what is true, with the probability that each was given."""
    return sentence_list(
        f"{title}, with the probability of each label",
        (
            (
                held_out.texts[each.row],
                [
                    ("said", _share(task.labels[each.predicted], each.confidence)),
                    ("true", _share(task.labels[each.truth], each.true_probability)),
                    ("line", f"{held_out.lines[each.row]:,}"),
                ],
            )
            for each in found
        ),
    )


def _share(label: str, probability: float) -> str:
    return f"{truncate(label, 50)} {100 * probability:.0f} %"


def _scores(task: Task, kind: str, groups: Sequence[SliceScores]) -> str:
    """Return the scores of groups of rows, those marked that are too small to go by."""
    if not groups:
        return ""
    rows = [
        (
            truncate(group.name, 60) + (" (too few rows)" if group.is_small else ""),
            f"{group.rows:,}",
            f"{100 * group.accuracy:.0f} %",
            f"{100 * group.macro_f1:.0f} %",
        )
        for group in groups[:GROUPS]
    ]
    more = quiet(f"{len(groups) - GROUPS:,} labels with fewer rows are left out.") if len(groups) > GROUPS else ""
    title = f"{isolate_bidi(truncate(task.name, 60))} by {isolate_bidi(truncate(kind, 60))}"
    return table((truncate(kind, 60), "rows", "accuracy", "macro-F1"), rows, caption=title) + more
