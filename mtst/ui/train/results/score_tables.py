"""A run's history in words and tables: how far it is, how good, and what happened to the layers."""

from collections.abc import Iterable

from mtst.evaluation.scores import Scores
from mtst.runs.history import History
from mtst.text import escape_html, isolate_bidi, truncate
from mtst.training.events import EpochEnded
from mtst.ui.components.html import quiet, table
from mtst.ui.plots.style import task_colour
from mtst.ui.train.results.baseline_table import baseline_table
from mtst.ui.train.results.label_table import label_table

COLUMNS = ("loss", "accuracy", "precision", "recall", "macro-F1", "weighted F1")
NO_SCORES = quiet("Scores appear here as soon as the untrained model has been measured.")


def scores(history: History) -> str:
    """Return the scores of the last epoch, those of every epoch, and what training gained over what needs none."""
    if not history.epochs:
        return NO_SCORES
    shown = history.best if history.is_finished else history.epochs[-1]
    rows = []
    for number, task in enumerate(_names(history)):
        for side, found in (("train", shown.train.get(task)), ("validation", shown.validation.get(task))):
            if found is None and side == "validation":
                rows.append(_row(number, task, side, ["no labelled rows", *[""] * (len(COLUMNS) - 1)]))
            elif found is not None:
                rows.append(_row(number, task, side, _figures(found)))
    zero_shot = " (zero-shot)" if history.is_zero_shot else ""
    when = f"Epoch {shown.epoch}" if shown.epoch else f"Before training{zero_shot}"
    kept = ", the one that is kept" if history.is_finished else ""
    head = "".join(f'<th scope="col">{name}</th>' for name in COLUMNS)
    header = f'<tr><th scope="col">task</th><th scope="col" class="text">rows</th>{head}</tr>'
    made = f"<caption>{when}{kept}</caption><thead>{header}</thead><tbody>{''.join(rows)}</tbody>"
    return (
        '<div class="scroll" role="region" aria-label="Scores" tabindex="0">'
        f'<table class="metrics">{made}</table></div>{_calibration(shown)}{baseline_table(history, shown)}'
        f"{label_table(history, shown)}{_every_epoch(history)}"
    )


def _names(history: History) -> list[str]:
    return [task.name for task in history.tasks]


def _row(number: int, task: str, side: str, figures: list[str]) -> str:
    hue = task_colour(number)
    cells = "".join(f"<td>{figure}</td>" for figure in figures)
    name = f'<i class="dot" style="--hue: {hue}"></i><span dir="auto">{escape_html(truncate(task, 26))}</span>'
    return f'<tr><th scope="row">{name}</th><td class="text">{side}</td>{cells}</tr>'


def _figures(found: Scores) -> list[str]:
    shares = (found.accuracy, found.precision, found.recall, found.macro_f1, found.weighted_f1)
    return [f"{found.loss:.3f}", *(f"{100 * share:.1f} %" for share in shares)]


def _calibration(shown: EpochEnded) -> str:
    """Say how far confidence and truth lie apart."""
    if not shown.validation:
        return ""
    told = ", ".join(
        f"{isolate_bidi(truncate(task, 40))} {100 * found.calibration_error:.1f} %"
        for task, found in shown.validation.items()
    )
    return quiet(
        f"Calibration error on validation rows: {told}. It is how far confidence lies from how often it is right."
    )


def _every_epoch(history: History) -> str:
    sides = [f"{side} {name}" for side in ("train", "validation") for name in COLUMNS]
    header = ["epoch", "task", *sides, "calibration error", "embeddings turned by"]
    rows = [
        [
            str(epoch.epoch),
            task,
            *_or_blank(epoch.train.get(task)),
            *_or_blank(epoch.validation.get(task)),
            f"{100 * found.calibration_error:.1f} %" if (found := epoch.validation.get(task)) else "",
            f"{epoch.drift:.3f}",
        ]
        for epoch in history.epochs
        for task in _names(history)
    ]
    made = table(header, rows, caption="Scores of every epoch", text_columns=(1,))
    return f"<details><summary>Every epoch</summary>{made}</details>"


def _or_blank(found: Scores | None) -> Iterable[str]:
    return _figures(found) if found else [""] * len(COLUMNS)
