"""What `train` prints: a line for each epoch, the table of layer groups, the scores, and the object of `--json`."""

from collections.abc import Iterable
from typing import Any

from mtst.cli.output import Echo
from mtst.data.dataset import Dataset
from mtst.evaluation.scores import Scores, small_sample_caution
from mtst.runs.event_log import RunEvent
from mtst.runs.history import History
from mtst.training.config import TrainConfig
from mtst.training.events import Baselines, EpochEnded, GroupProof, Opened

FIGURES = ("accuracy", "precision", "recall", "macro_f1", "weighted_f1", "calibration_error")
MULTI_LABEL_FIGURES = ("micro_f1", "samples_f1", "mean_average_precision")


def follow(events: Iterable[RunEvent], echo: Echo) -> History:
    """Train to the end and print a line for each epoch."""
    history = History()
    for event in events:
        history.extend([event])
        match event:
            case Baselines():
                for name, by_task in (("majority", event.majority), ("logistic regression", event.logistic)):
                    scores = ", ".join(f"{task} {scores.macro_f1:.3f}" for task, scores in by_task.items())
                    echo(f"baseline {name}: validation macro-F1 {scores}")
            case Opened():
                echo(f"epoch {event.epoch} opens {', '.join(event.groups)}")
            case EpochEnded():
                echo(_epoch_line(event, history.started.epochs))
    return history


def print_result(history: History, test_scores: dict[str, Scores] | None, note: str, echo: Echo) -> None:
    """Print what became of each layer group, and the scores; `note` says how long it took."""
    best_epoch = history.finished.best_epoch
    echo(_proof_table(history.finished.proof, best_epoch))
    echo(f"kept epoch {best_epoch}, {note}")
    if caution := small_sample_caution(history.started.validation_rows):
        echo(caution)
    for split, by_task in (("validation", history.best.validation), ("test", test_scores or {})):
        for task, scores in by_task.items():
            echo(
                f"{split} {task}: accuracy {scores.accuracy:.4f}, macro-F1 {scores.macro_f1:.4f}, "
                f"weighted F1 {scores.weighted_f1:.4f}, calibration error {scores.calibration_error:.4f}"
            )
            if scores.micro_f1 is not None:
                echo(
                    f"{split} {task}: micro-F1 {scores.micro_f1:.4f}, samples-F1 {scores.samples_f1:.4f}, "
                    f"mean average precision {scores.mean_average_precision:.4f}, "
                    f"threshold {history.finished.thresholds[task]:.3g}"
                )


def _epoch_line(event: EpochEnded, epochs: int) -> str:
    tasks = "; ".join(
        f"{name}: "
        + (f"train loss {event.train[name].loss:.3f}, " if name in event.train else "")
        + f"validation loss {scores.loss:.3f}, macro-F1 {scores.macro_f1:.3f}"
        for name, scores in event.validation.items()
    )
    return f"epoch {event.epoch}/{epochs}  {event.seconds:.1f} s  {tasks}"


def _proof_table(groups: tuple[GroupProof, ...], best_epoch: int) -> str:
    """Return a table of what became of each layer group up to the best epoch."""
    rows = [f"{'group':24}{'parameters':>12}{'trained':>12}{'open epochs':>13}{'peak rate':>11}{'weight change':>15}"]
    for group in groups:
        opened = f"{group.open_epochs[0]} to {group.open_epochs[1]}" if group.open_epochs else "frozen"
        change = "0 (same hash)" if group.same else f"{group.change:.5f}"
        if group.same and group.open_epochs and group.open_epochs[0] > best_epoch:
            change = f"0 (kept: {best_epoch})"
        rest = "" if group.rest_same is None else f", rest {'0 (same hash)' if group.rest_same else 'CHANGED'}"
        rows.append(
            f"{group.key[:23]:24}{group.parameters:12,}{group.trained:12,}{opened:>13}{group.rate:11.1e}{change:>15}{rest}"
        )
    return "\n".join(rows)


def summarize(
    config: TrainConfig, data: Dataset, history: History, test_scores: dict[str, Scores] | None
) -> dict[str, Any]:
    """Return the object that `--json` prints."""
    tasks = {}
    for task in data.tasks:
        tasks[task.name] = {"validation": _figures(history.best.validation.get(task.name))}
        if test_scores is not None:
            tasks[task.name]["test"] = _figures(test_scores.get(task.name))
    best_epoch = history.finished.best_epoch
    return {"scenario": config.scenario, "seed": config.seed, "best_epoch": best_epoch, "tasks": tasks}


def _figures(scores: Scores | None) -> dict[str, Any] | None:
    if scores is None:
        return None
    figures = FIGURES if scores.micro_f1 is None else (*FIGURES, *MULTI_LABEL_FIGURES)
    return {name: getattr(scores, name) for name in figures}
