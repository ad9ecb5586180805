"""What a run has to beat: the majority class, the zero-shot model and logistic regression beside its own scores."""

from mtst.evaluation.scores import Scores
from mtst.runs.history import History
from mtst.text import escape_html, isolate_bidi, truncate
from mtst.training.events import EpochEnded
from mtst.ui.components.html import quiet
from mtst.ui.plots.style import task_colour
from mtst.ui.plots.training import baselines, named


def baseline_table(history: History, shown: EpochEnded) -> str:
    """Return a table of macro-F1 and loss by baseline and task, and what was gained over the best of them."""
    if not shown.validation:
        return ""
    found = {named(kind, history): scores for kind, scores in baselines(history).items()}
    if shown.epoch:
        found[f"epoch {shown.epoch}"] = shown.validation
    tasks = [(number, task.name) for number, task in enumerate(history.tasks) if task.name in shown.validation]
    head = "".join(
        f'<th scope="col"><i class="dot" style="--hue: {task_colour(number)}"></i>'
        f'<span dir="auto">{escape_html(truncate(task, 26))}</span></th>'
        for number, task in tasks
    )
    rows = "".join(
        f'<tr><th scope="row">{name}</th>{"".join(_cell(scores.get(task)) for _, task in tasks)}</tr>'
        for name, scores in found.items()
    )
    return (
        '<p class="caption">Macro-F1 on validation rows beside what needs no training</p>'
        '<div class="scroll" role="region" aria-label="Baselines" tabindex="0"><table class="metrics baselines">'
        f'<thead><tr><th scope="col">macro-F1, loss</th>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        f"{_gain(history, shown)}"
    )


def _cell(scores: Scores | None) -> str:
    return f"<td>{100 * scores.macro_f1:.1f} %<small>{scores.loss:.3f}</small></td>" if scores else "<td>–</td>"


def _gain(history: History, shown: EpochEnded) -> str:
    if not shown.epoch:
        return ""
    found = baselines(history)
    parts = []
    for task, scores in shown.validation.items():
        best, kind = max(
            ((each[task].macro_f1, kind) for kind, each in found.items() if task in each), default=(None, "")
        )
        if best is not None:
            points = 100 * (scores.macro_f1 - best)
            parts.append(f"{isolate_bidi(truncate(task, 40))} {points:+.1f} over {named(kind, history)}")
    return quiet(f"Points of macro-F1 over the best of these: {', '.join(parts)}.") if parts else ""
