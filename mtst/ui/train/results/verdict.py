"""The result of a run in one sentence, and its scores beside the best of what needs no training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from mtst.evaluation.score_interval import gain_interval, macro_f1_interval
from mtst.evaluation.scores import Scores, small_sample_caution
from mtst.runs.history import History
from mtst.text import isolate_bidi, truncate
from mtst.ui.components.templates import render
from mtst.ui.plots import numbers
from mtst.ui.plots.score_axis import ScoreAxis
from mtst.ui.plots.style import task_colour
from mtst.ui.plots.training import baseline_name, baselines

MAX_TASKS = 3  # whose scores are drawn in the card; the others are in the table of scores
MAX_NAMED = 3  # tasks that are named in the sentence
JUDGEMENTS = {
    "better": "training paid off for",
    "unclear": "no clear gain over the best baseline for",
    "worse": "the best baseline does better for",
}
Pinned = tuple[str, Mapping[str, Scores]]  # the name of a run, and its scores by task
NOTHING_MEASURED = "The run ended before its model was measured."


@dataclass(frozen=True)
class Result:
    """The score of one task beside its best baseline, with intervals of 95 % as (low, high), between 0 and 1.

    Attributes:
        task: its name.
        colour: that of the task.
        scores: those of the epoch that is kept.
        baseline: the best baseline, if one was measured.
        baseline_title: its name.
    """

    task: str
    colour: str
    scores: Scores
    baseline: Scores | None
    baseline_title: str

    @property
    def gain(self) -> float:
        """The macro-F1 over that of the best baseline."""
        return self.scores.macro_f1 - self.baseline.macro_f1 if self.baseline else 0.0

    @property
    def judgement(self) -> str:
        """What can be said of the gain: better, worse, or unclear."""
        if self.baseline is None:
            return "unclear"
        low, high = gain_interval(self.scores, self.baseline)
        return "better" if low > 0 else "worse" if high < 0 else "unclear"


def results(history: History) -> list[Result]:
    """Return the result of each task at the epoch that is kept so far; none before one was measured."""
    measured = []
    for number, task in enumerate(history.tasks):
        scores = history.best_validation.get(task.name)
        if scores is None:
            continue
        others = [(kind, of_kind[task.name]) for kind, of_kind in baselines(history).items() if task.name in of_kind]
        kind, best = max(others, key=lambda other: other[1].macro_f1, default=("", None))
        title = baseline_name(kind, history) if kind else ""
        measured.append(Result(task.name, task_colour(number), scores, best, title))
    return measured


def verdict_text(history: History) -> Markup:
    """Return the verdict on a run that is over and has a model, with a caution where few rows are held out."""
    measured = results(history)
    sentence = verdict(history, measured) if measured else NOTHING_MEASURED
    return render("train/verdict", verdict=sentence, why=small_sample_caution(history.started.validation_rows))


def score_box(history: History, pinned: Pinned | None = None) -> Markup:
    """Return the score of each task beside its best baseline and a run that is pinned, with their intervals."""
    measured = results(history)
    shown, several = measured[:MAX_TASKS], len(measured) > 1
    if not shown:
        return Markup()
    others = {each.task: pinned[1].get(each.task) if pinned else None for each in shown}
    drawn = [scores for each in shown for scores in (each.scores, each.baseline, others[each.task]) if scores]
    axis = ScoreAxis.below(macro_f1_interval(scores)[0] for scores in drawn)
    return render(
        "train/score_box",
        scores=[(each.task if several else "", numbers.percent(each.scores.macro_f1)) for each in shown],
        held_out=f"{history.started.validation_rows:,}",
        rows=[row for each in shown for row in _rows(each, axis, pinned, named=several)],
        ticks=axis.ticks,
    )


def verdict(history: History, measured: Sequence[Result]) -> str:
    """Return the result of a run in one sentence."""
    if not history.total_epochs:
        return f"Without training, the words of the labels reach {_listed_scores(measured)}."
    if history.is_finished and not history.finished.best_epoch:
        return "Training did not help: the model before training scored best, and is kept."
    if len(measured) == 1:
        return _of_one(measured[0])
    groups = {key: [each for each in measured if each.judgement == key] for key in JUDGEMENTS}
    sentence = "; ".join(f"{JUDGEMENTS[key]} {_gains(of_kind)}" for key, of_kind in groups.items() if of_kind)
    return f"{sentence[0].upper()}{sentence[1:]}."


def _of_one(result: Result) -> str:
    points, over = 100 * result.gain, result.baseline_title
    if result.baseline is None:
        return f"The model reaches {numbers.percent(result.scores.macro_f1)} macro-F1; no baseline was measured."
    return {
        "better": f"Training paid off: {points:.1f} points more macro-F1 than {over}.",
        "unclear": f"No clear gain: {numbers.points(result.gain)} points of macro-F1 against {over} may be chance.",
        "worse": f"{over.capitalize()} does better without this training, by {-points:.1f} points of macro-F1.",
    }[result.judgement]


def _gains(of_kind: Sequence[Result]) -> str:
    """Return the names of tasks, each with its points of macro-F1 over its best baseline."""
    names = [f"{isolate_bidi(truncate(each.task, 30))} ({numbers.points(each.gain)})" for each in of_kind[:MAX_NAMED]]
    more = [f"{len(of_kind) - MAX_NAMED} more"] if len(of_kind) > MAX_NAMED else []
    *first, last = [*names, *more]
    return f"{', '.join(first)} and {last}" if first else last


def _listed_scores(measured: Sequence[Result]) -> str:
    if len(measured) == 1:
        return f"{numbers.percent(measured[0].scores.macro_f1)} macro-F1"
    scores = [
        f"{numbers.percent(each.scores.macro_f1)} for {isolate_bidi(truncate(each.task, 30))}" for each in measured
    ]
    more = f" and {len(scores) - MAX_NAMED} more" if len(scores) > MAX_NAMED else ""
    return f"{', '.join(scores[:MAX_NAMED])}{more} in macro-F1"


def _rows(result: Result, axis: ScoreAxis, pinned: Pinned | None, *, named: bool) -> list[dict[str, object]]:
    """Return the lines of the drawing: the score of a task, that of its best baseline, and that of a pinned run."""
    rows = [(truncate(result.task, 24) if named else "This run", result.scores, result.colour)]
    if result.baseline:
        rows.append((result.baseline_title, result.baseline, ""))
    if pinned and (scores := pinned[1].get(result.task)):
        rows.append((truncate(pinned[0], 40), scores, ""))
    drawn = []
    for title, scores, colour in rows:
        low, high = macro_f1_interval(scores)
        drawn.append(
            {
                "title": title,
                "colour": colour,
                "score": numbers.percent(scores.macro_f1),
                "interval": f"{numbers.percent(low)} to {numbers.percent(high)}",
                "left": axis.position(low),
                "width": axis.position(high) - axis.position(low),
                "at": axis.position(scores.macro_f1),
            }
        )
    return drawn
