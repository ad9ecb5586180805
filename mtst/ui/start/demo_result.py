"""The demo in words: how far each of its runs is, and what opening the top blocks gave."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from mtst.comparison.bootstrap import Prediction
from mtst.comparison.difference import Difference, paired_difference
from mtst.evaluation.error_analysis import predicted_rows
from mtst.evaluation.scores import mean_macro_f1
from mtst.runs.folder import RunFolder
from mtst.runs.history import History
from mtst.runs.queue import QueuePosition
from mtst.training.config import TrainConfig
from mtst.ui.components import run_status
from mtst.ui.components.html import problem
from mtst.ui.components.templates import render
from mtst.ui.plots import numbers
from mtst.ui.services.model_data import run_data


@dataclass(frozen=True)
class Step:
    """One run of the demo: what the page calls it, and how it trains."""

    title: str
    config: TrainConfig


@dataclass(frozen=True)
class StepProgress:
    """How far a run is, between 0 and 1, in words, and its mean macro-F1 so far."""

    title: str
    state: str
    share: float
    note: str
    score: float | None


def progress(steps: Sequence[Step], histories: Sequence[History], position: QueuePosition | None = None) -> Markup:
    """Return how far the runs are.

    Args:
        steps: the runs.
        histories: their events so far.
        position: the position in the queue of the run that waits.
    """
    return render(
        "start/progress",
        steps=[_step(step, history, position) for step, history in zip(steps, histories, strict=True)],
    )


def _step(step: Step, history: History, position: QueuePosition | None) -> StepProgress:
    score = _score(history) if history.epochs else None
    if history.is_finished:
        return StepProgress(step.title, "finished", 1.0, f"took {run_status.format_duration(history.elapsed)}", score)
    if history.is_over:
        return StepProgress(step.title, "failed", 0.0, "stopped before its end", score)
    if history.has_started:
        share = history.last_step / max(1, history.total_steps)
        left = history.remaining
        note = "" if left is None else f"about {run_status.format_duration(max(1, left))} to go"
        return StepProgress(step.title, "running", share, note or "embedding sentences", score)
    if position and position.number > 1:
        return StepProgress(step.title, "waiting", 0.0, run_status.queue_status(position)[0].lower(), None)
    return StepProgress(step.title, "waiting", 0.0, "waits", None)


def _score(history: History) -> float:
    """Return the mean macro-F1 of the kept epoch, or of the last one so far."""
    return mean_macro_f1((history.best if history.is_finished else history.epochs[-1]).validation)


def compare_runs(steps: Sequence[Step], folders: Sequence[RunFolder], histories: Sequence[History]) -> Markup:
    """Return what opening the top blocks gave, once both runs are over.

    Raises:
        RunError: the data of a run cannot be read.
    """
    for step, history in zip(steps, histories, strict=True):
        if not history.is_finished:
            reason = history.failed.message if history.has_failed else "It was stopped."
            return problem(f"{step.title} did not reach its end. {reason} Run the demo again.")
    data = [run_data(folder) for folder in folders]
    held_out = data[0].held_out
    predictions = []
    for each in data:
        if each.predictions is None:
            return problem("The predictions of a run are missing. Run the demo again.")
        rows = {task.name: predicted_rows(each.predictions, held_out, task) for task in held_out.tasks}
        labels = {name: [-1] * len(held_out) for name in rows}
        for name, predicted in rows.items():
            for one in predicted:
                labels[name][one.row] = one.predicted
        predictions.append(Prediction(labels))
    (heads, first), (blocks, second) = zip([step.config.scenario for step in steps], predictions, strict=True)
    difference = paired_difference(held_out.tasks, held_out.labels, (blocks, second), (heads, first))
    frozen = [group for group in histories[1].finished.proof if group.open_epochs is None]
    return render(
        "start/result",
        verdict=verdict(difference),
        points=numbers.points(difference.gain),
        low=numbers.points(difference.low),
        high=numbers.points(difference.high),
        scores=[(step.title, 100 * _score(h)) for step, h in zip(steps, histories, strict=True)],
        held_out=len(held_out),
        frozen=len(frozen),
        unchanged=all(group.same for group in frozen),
    )


def verdict(difference: Difference) -> str:
    """Return in a sentence what opening the top blocks gave."""
    points = f"{abs(100 * difference.gain):.1f} points"
    if difference.shown:
        return f"Opening two blocks gave {points} more than heads only."
    if difference.high < 0:
        return f"Opening two blocks cost {points}."
    if difference.gain > 0:
        return f"Opening two blocks gave {points} more. On so few sentences that may be chance."
    return f"Opening two blocks gave nothing here: {points} less, which may be chance."
