"""The state of a run in a line: a chip, a headline, the time and a progress bar."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from mtst.runs.history import History
from mtst.runs.progress import phases, total_share
from mtst.runs.queue import QueuePosition
from mtst.runs.state import Running
from mtst.training.events import Failed, Finished
from mtst.ui.components.html import quiet
from mtst.ui.components.templates import render

LOADING = ("Loading the encoder", "a few seconds")
UNTRAINED = "the one before training"


def format_duration(seconds: float) -> str:
    """Return seconds as text: `42 s`, `3 min 05 s`."""
    whole = round(seconds)
    return f"{whole} s" if whole < 100 else f"{whole // 60} min {whole % 60:02d} s"


def rough_duration(seconds: float) -> str:
    """Return an estimated time with one significant figure or two: `8 s`, `40 s`, `2 min`, `1.5 h`."""
    if seconds < 10:
        return f"{max(1, round(seconds))} s"
    if seconds < 90:
        return f"{round(seconds, -1):.0f} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def status(
    history: History,
    position: QueuePosition | None = None,
    *,
    stopping: bool = False,
    checkpoint: Mapping[str, Any] | None = None,
    about: str = "",
) -> Markup:
    """Return the state of a run.

    Args:
        history: its events so far.
        position: its position in the queue, if it waits.
        stopping: whether the visitor has asked it to stop.
        checkpoint: the numbers of its checkpoint, if there is one.
        about: what is trained on what, in a few words.
    """
    state, title, note = _state(history, position, checkpoint, stopping=stopping)
    parts = () if history.is_over else phases(history)
    return render(
        "components/run_bar", state=state, title=title, note=note, about=about, phases=parts, share=total_share(parts)
    )  # fmt: skip


def _state(
    history: History, position: QueuePosition | None, checkpoint: Mapping[str, Any] | None, *, stopping: bool
) -> tuple[str, str, str]:
    """Return the state of a run in a word, a headline and a note."""
    match history.state:
        case Failed() as failed:
            return failed.state, *_failure(failed, checkpoint)
        case Finished() as finished:
            return history.outcome, *_finished(history, finished)
    if stopping:
        return "stopping", "Stopping", "the best model so far is kept"
    if position:
        return "queued", *queue_status(position)
    if history.is_waiting or not history.has_started:
        return "starting", *LOADING
    validating = history.state == Running(validating=True)
    return "validating" if validating else "running", *_progress(history, validating=validating)


def queue_status(position: QueuePosition) -> tuple[str, str]:
    """Return the position of a waiting run in the queue, and how long it may wait."""
    title = "Next in line" if position.number == 1 else f"Waiting, number {position.number} of {position.total} in line"
    wait = (
        "it starts by itself"
        if position.seconds is None
        else f"it starts in about {format_duration(max(1, position.seconds))}"
    )
    return title, wait


def best_model_note(checkpoint: Mapping[str, Any] | None) -> str:
    """Return which model an interrupted run leaves, from its checkpoint."""
    if not checkpoint:
        return ""
    epoch = checkpoint["best"]["epoch"]
    return quiet(
        f"The run broke off. The best model until then is kept: {f'that of epoch {epoch}' if epoch else UNTRAINED}."
    )


def _failure(failed: Failed, checkpoint: Mapping[str, Any] | None) -> tuple[str, str]:
    """Return the headline of a run that did not reach its end, and the reason."""
    if failed.state == "stopped":
        return "Stopped before it began", failed.message
    title = "Training was interrupted" if failed.state == "interrupted" else "Training failed"
    then = f"Resume goes on after epoch {checkpoint['epoch']}." if checkpoint else "Resume begins again."
    return title, f"{failed.message} {then}"


def _finished(history: History, finished: Finished) -> tuple[str, str]:
    """Return a headline for a run that has a model, and its time."""
    title, took = "Stopped" if finished.stopped else "Finished", f"took {format_duration(history.elapsed)}"
    if finished.out_of_time:
        title, took = "Time is up", f"{took}, the longest that a run may; Resume goes on from there"
    elif finished.early:
        title = "Finished early"
    return f"{title}, {_kept(history, finished)}", took


def _kept(history: History, finished: Finished) -> str:
    if history.has_started and not history.total_epochs:
        return "measured, nothing was trained"
    if not history.last_epoch:
        return "no epoch had ended, so the model is unchanged"
    best = finished.best_epoch
    return f"epoch {best} is kept" if best else "the model before training was the best"


def _progress(history: History, *, validating: bool) -> tuple[str, str]:
    """Return the current phase of a run, and its time."""
    so_far = f"{format_duration(history.elapsed)} so far"
    reason = _embedding_reason(history)
    if reason:
        return f"{reason}: {_embedded(history)}", so_far
    if not history.steps and not history.epochs:
        return "Measuring the model before training", so_far
    if history.last_step == history.total_steps and not validating:
        return "Saving the best model", so_far
    epoch = min(history.total_epochs, 1 + history.last_epoch)
    left = history.remaining
    time = so_far if left is None else f"{so_far}, about {format_duration(max(1, left))} to go"
    return f"{'Validating epoch' if validating else 'Epoch'} {epoch} of {history.total_epochs}", time


def _embedding_reason(history: History) -> str:
    """Return why the sentences are being embedded; empty while they are not."""
    progress = history.embedded
    if not history.epochs and not history.baselines:
        return "Embedding sentences"
    if progress is None or progress.rows == progress.total:
        return ""
    if not history.epochs:
        return "Computing the frozen layers once"
    newest = max([epoch.seconds for epoch in history.epochs[-1:]] + [step.seconds for step in history.steps[-1:]])
    return "A layer opened: computing the frozen layers again" if progress.seconds > newest else ""


def _embedded(history: History) -> str:
    if history.embedded:
        return f"{history.embedded.rows:,} of {history.embedded.total:,}"
    return f"0 of {history.started.train_rows + history.started.validation_rows:,}"


def idle_status(text: str = "") -> Markup:
    """Return the line that is shown before a run exists; while nothing can be started, it asks for data."""
    return render("components/idle_bar", text=text)


def state_line(state: str, title: str, note: str, step: int = 0, steps: int = 0, *, label: str = "Training") -> Markup:
    """Return a chip with the state, a headline, a note, and a progress bar with a label if there are steps."""
    share = 100 * step / steps if steps else None
    return render("components/status", state=state, title=title, note=note, share=share, label=label)
