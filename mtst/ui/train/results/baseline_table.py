"""What a run has to beat: the scores of the majority class, zero-shot heads and logistic regression beside its own."""

from markupsafe import Markup

from mtst.evaluation.scores import Scores
from mtst.runs.history import History
from mtst.text import isolate_bidi, truncate
from mtst.training.events import EpochEnded
from mtst.ui.components.templates import render
from mtst.ui.plots.style import task_colour
from mtst.ui.plots.training import baseline_name, baselines


def baseline_table(history: History, epoch: EpochEnded) -> Markup:
    """Return a table of macro-F1 and loss by baseline and task, and what an epoch gained over the best of them."""
    if not epoch.validation:
        return Markup()
    tasks = [(k, task.name) for k, task in enumerate(history.tasks) if task.name in epoch.validation]
    scores = {baseline_name(kind, history): of_kind for kind, of_kind in baselines(history).items()}
    if epoch.epoch:
        scores[f"epoch {epoch.epoch}"] = epoch.validation
    return render(
        "train/baselines",
        tasks=[(name, task_colour(k)) for k, name in tasks],
        rows=[(title, [_cell(of_kind.get(name)) for _, name in tasks]) for title, of_kind in scores.items()],
        gains=_gains(history, epoch) if epoch.epoch else [],
    )


def _cell(scores: Scores | None) -> tuple[str, str] | None:
    return (f"{100 * scores.macro_f1:.1f}%", f"{scores.loss:.3f}") if scores else None


def _gains(history: History, epoch: EpochEnded) -> list[str]:
    """Return for each task the points of macro-F1 over its best baseline."""
    gains = []
    for task, scores in epoch.validation.items():
        measured = [(of_kind[task].macro_f1, kind) for kind, of_kind in baselines(history).items() if task in of_kind]
        if measured:
            best, kind = max(measured)
            points = 100 * (scores.macro_f1 - best)
            gains.append(f"{isolate_bidi(truncate(task, 40))} {points:+.1f} over {baseline_name(kind, history)}")
    return gains
