"""The state of a run or a comparison as plain data for programs."""

import json
from typing import Any, TypedDict

from mtst.errors import RunError
from mtst.runs.folder import RunFolder
from mtst.runs.history import History
from mtst.runs.queue import QueuePosition

SCORES = ("accuracy", "macro_f1", "weighted_f1", "loss")


class QueueState(TypedDict):
    """The position in the queue: `number` of `of`, and the estimated seconds until it starts, if known."""

    number: int
    of: int
    seconds: float | None


class RunState(TypedDict):
    """The state of a run.

    `state` is waiting, running, stopping, finished, stopped, failed or interrupted. `done` of `of` epochs of a run, or
    trainings of a comparison, are over. `scores` are by task those on the validation rows in the best epoch so far; of
    a comparison, by scenario the macro-F1 of each task on held-out rows. `report` is there at the end.
    """

    kind: str
    state: str
    message: str
    place: QueueState | None
    done: int
    of: int
    scores: dict[str, dict[str, float]]
    has_model: bool
    report: dict[str, Any] | None


def run_state(folder: RunFolder, history: History, position: QueuePosition | None) -> RunState:
    """Return the state of a run.

    Raises:
        RunError: it cannot be read.
    """
    job = folder.job()
    is_comparison = job.kind == "compare"
    done, of = _progress(history)
    return {
        "kind": job.kind,
        "state": _state(folder, history, position),
        "message": history.failed.message if history.has_failed else "",
        "place": {"number": position.number, "of": position.total, "seconds": position.seconds} if position else None,
        "done": done,
        "of": of,
        "scores": {row.scenario: row.tasks for row in history.comparison.results}
        if is_comparison
        else _scores(history),
        "has_model": history.is_over and not is_comparison and folder.has_model,
        "report": _report(folder) if history.is_over else None,
    }


def _state(folder: RunFolder, history: History, position: QueuePosition | None) -> str:
    if history.is_over:
        return history.outcome
    if folder.stop_requested:
        return "stopping"
    return "waiting" if position or history.is_waiting else "running"


def _progress(history: History) -> tuple[int, int]:
    comparison = history.comparison
    if comparison.has_started:
        return len(comparison.completed), len(comparison.attempts)
    return history.last_epoch, history.total_epochs


def _scores(history: History) -> dict[str, dict[str, float]]:
    return {task: {name: getattr(scores, name) for name in SCORES} for task, scores in history.best_validation.items()}


def _report(folder: RunFolder) -> dict[str, Any] | None:
    try:
        report: dict[str, Any] = json.loads(folder.report_path.read_bytes())
        return report
    except FileNotFoundError:  # an interrupted run has none
        return None
    except (OSError, ValueError) as error:
        raise RunError("The report of this run cannot be read.") from error
