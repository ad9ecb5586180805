"""The scores of a run: those of its best epoch, beside what needs no training, for each label, and of every epoch."""

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from mtst.evaluation.scores import Scores
from mtst.runs.history import History
from mtst.text import isolate_bidi, truncate
from mtst.training.events import EpochEnded
from mtst.ui.components.html import quiet, table
from mtst.ui.components.templates import render
from mtst.ui.plots.style import task_colour
from mtst.ui.train.results.baseline_table import baseline_table
from mtst.ui.train.results.label_table import label_table

COLUMNS = ("loss", "accuracy", "precision", "recall", "macro-F1", "weighted F1")
NO_LABELS = ["no labelled rows", *[""] * (len(COLUMNS) - 1)]
NO_SCORES = quiet("Scores appear here as soon as the untrained model has been measured.")


@dataclass(frozen=True)
class Row:
    """The scores of a task on one side of the split."""

    task: str
    colour: str
    side: str
    figures: list[str]


def scores(history: History) -> Markup:
    """Return the scores of the epoch that is kept, or of the last one so far."""
    if not history.epochs:
        return NO_SCORES
    epoch = history.best if history.is_finished else history.epochs[-1]
    before = f"Before training{' (zero-shot)' if history.is_zero_shot else ''}"
    return render(
        "train/scores",
        title=f"Epoch {epoch.epoch}" if epoch.epoch else before,
        kept=history.is_finished,
        columns=COLUMNS,
        rows=_rows(history, epoch),
        calibration=_calibration(epoch),
        multi_label=_multi_label(epoch),
        baselines=baseline_table(history, epoch),
        labels=label_table(history, epoch),
        every_epoch=_every_epoch(history),
    )


def _rows(history: History, epoch: EpochEnded) -> list[Row]:
    rows = []
    for number, task in enumerate(task.name for task in history.tasks):
        train, validation = epoch.train.get(task), epoch.validation.get(task)
        if train:
            rows.append(Row(task, task_colour(number), "train", _figures(train)))
        rows.append(Row(task, task_colour(number), "validation", _figures(validation) if validation else NO_LABELS))
    return rows


def _figures(scores: Scores) -> list[str]:
    shares = (scores.accuracy, scores.precision, scores.recall, scores.macro_f1, scores.weighted_f1)
    return [f"{scores.loss:.3f}", *(f"{100 * share:.1f}%" for share in shares)]


def _calibration(epoch: EpochEnded) -> str:
    """Return the calibration error of each task."""
    return ", ".join(
        f"{isolate_bidi(truncate(task, 40))} {100 * scores.calibration_error:.1f}%"
        for task, scores in epoch.validation.items()
    )


def _multi_label(epoch: EpochEnded) -> list[str]:
    """Return the scores that only tasks with several labels a row have, a sentence each."""
    sentences = []
    for task, scores in epoch.validation.items():
        if scores.micro_f1 is None or scores.samples_f1 is None or scores.mean_average_precision is None:
            continue
        sentences.append(
            f"In “{isolate_bidi(truncate(task, 40))}” a row can have several labels. Accuracy is the share of rows "
            f"whose labels are all right. On validation rows micro-F1 is {100 * scores.micro_f1:.1f}%, "
            f"samples-F1 {100 * scores.samples_f1:.1f}%, mean average precision "
            f"{100 * scores.mean_average_precision:.1f}%."
        )
    return sentences


def _every_epoch(history: History) -> Markup:
    sides = [f"{side} {name}" for side in ("train", "validation") for name in COLUMNS]
    header = ["epoch", "task", *sides, "calibration error", "embedding drift"]
    rows = [
        [
            str(epoch.epoch),
            task.name,
            *_figures_or_blank(epoch.train.get(task.name)),
            *_figures_or_blank(validation),
            f"{100 * validation.calibration_error:.1f}%" if validation else "",
            f"{epoch.drift:.3f}",
        ]
        for epoch in history.epochs
        for task in history.tasks
        for validation in (epoch.validation.get(task.name),)
    ]
    return table(header, rows, caption="Scores of every epoch", text_columns=(1,))


def _figures_or_blank(scores: Scores | None) -> Iterable[str]:
    return _figures(scores) if scores else [""] * len(COLUMNS)
