"""How well each label is recognised, with the rare ones marked, which an average hides."""

from statistics import mean

from markupsafe import Markup

from mtst.data.labels.names import rare_labels
from mtst.data.tasks import Task
from mtst.evaluation.scores import LabelScores
from mtst.runs.history import History
from mtst.text import isolate_bidi, truncate
from mtst.training.events import EpochEnded
from mtst.ui.components.html import table
from mtst.ui.components.templates import render

MAX_NAMES = 6
HEADER = ("label", "train rows", "validation rows", "recall", "precision", "F1", "recall before")


def label_table(history: History, epoch: EpochEnded) -> Markup:
    """Return a table of the labels of each task at an epoch, with a sentence about the rare ones."""
    tasks = [task for task in history.tasks if task.name in epoch.validation]
    return render("train/labels", tasks=[_task(history, epoch, task) for task in tasks])


def _task(history: History, epoch: EpochEnded, task: Task) -> dict[str, object]:
    """Return the values for one task."""
    train_rows = dict(zip(task.labels, history.started.counts[task.name], strict=True))
    now = dict(zip(task.labels, epoch.validation[task.name].labels, strict=True))
    then = dict(zip(task.labels, history.epochs[0].validation[task.name].labels, strict=True))
    rare = rare_labels(train_rows)
    rows = [
        (
            truncate(label, 60) + (" (rare)" if label in rare else ""),
            f"{train_rows[label]:,}",
            f"{now[label].rows:,}",
            *(_percent(now[label], share) for share in (now[label].recall, now[label].precision, now[label].f1)),
            _percent(then[label], then[label].recall),
        )
        for label in sorted(task.labels, key=lambda label: -train_rows[label])
    ]
    label_scores = table(HEADER, rows, caption=f"Each label of {truncate(task.name, 60)}")
    return {"name": task.name, "table": label_scores, "rare": _rare_recall(rare, then, now)}


def _rare_recall(rare: tuple[str, ...], then: dict[str, LabelScores], now: dict[str, LabelScores]) -> str:
    """Return how the recall of the rare labels has changed, which the accuracy hardly shows."""
    checked = [label for label in rare if now[label].rows]
    if not checked:
        return ""
    names = ", ".join(isolate_bidi(truncate(label, 30)) for label in checked[:MAX_NAMES])
    more = ", …" if len(checked) > MAX_NAMES else ""
    after, before = (100 * mean(scores[label].recall for label in checked) for scores in (now, then))
    return f"Rare labels ({names}{more}): {after:.1f}% of their rows are found, {before:.1f}% before training."


def _percent(scores: LabelScores, share: float) -> str:
    """Return a share, or a dash where no row has the label."""
    return f"{100 * share:.1f}%" if scores.rows else "–"
