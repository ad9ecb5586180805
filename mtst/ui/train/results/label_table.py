"""How well each label is found, the rare ones marked: what an average hides."""

from statistics import mean

from mtst.data.labels import rare_labels
from mtst.data.tasks import Task
from mtst.evaluation.scores import LabelScores
from mtst.runs.history import History
from mtst.text import escape_html, isolate_bidi, truncate
from mtst.training.events import EpochEnded
from mtst.ui.components.html import quiet, table

NAMED = 6
HEADER = ("label", "train rows", "validation rows", "recall", "precision", "F1", "recall before")


def label_table(history: History, shown: EpochEnded) -> str:
    """Return a table of the labels of each task at an epoch, and what has become of the rare ones."""
    return "".join(_task(history, shown, task) for task in history.tasks if task.name in shown.validation)


def _task(history: History, shown: EpochEnded, task: Task) -> str:
    counts = dict(zip(task.labels, history.started.counts[task.name], strict=True))
    after = dict(zip(task.labels, shown.validation[task.name].labels, strict=True))
    before = dict(zip(task.labels, history.epochs[0].validation[task.name].labels, strict=True))
    few = rare_labels(counts)
    order = sorted(task.labels, key=lambda label: -counts[label])
    rows = [
        (
            truncate(label, 60) + (" (rare)" if label in few else ""),
            f"{counts[label]:,}",
            f"{after[label].rows:,}",
            *_shares(after[label]),
            _share(before[label], before[label].recall),
        )
        for label in order
    ]
    made = table(HEADER, rows, caption=f"Each label of {truncate(task.name, 60)}")
    name = escape_html(truncate(task.name, 60))
    summary = f'<summary>Each label of <span dir="auto">{name}</span></summary>'
    return f"{_rare(few, before, after)}<details>{summary}{made}</details>"


def _rare(few: tuple[str, ...], before: dict[str, LabelScores], after: dict[str, LabelScores]) -> str:
    """Say how many rows of the rare labels are found, which an accuracy hardly shows."""
    checked = [label for label in few if after[label].rows]
    if not checked:
        return ""
    named = ", ".join(isolate_bidi(truncate(label, 30)) for label in checked[:NAMED]) + (
        ", …" if len(checked) > NAMED else ""
    )
    now, then = (mean(scores[label].recall for label in checked) for scores in (after, before))
    return quiet(
        f"Rare labels ({named}): {100 * now:.0f} % of their rows are found, {100 * then:.0f} % before training."
    )


def _shares(scores: LabelScores) -> tuple[str, str, str]:
    return tuple(_share(scores, share) for share in (scores.recall, scores.precision, scores.f1))


def _share(scores: LabelScores, share: float) -> str:
    """Return a share, or nothing where no row has the label."""
    return f"{100 * share:.0f} %" if scores.rows else "–"
