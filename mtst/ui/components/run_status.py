"""TODO."""

from collections.abc import Mapping
from typing import Any

from mtst.runs.history import History
from mtst.runs.queue import QueuePosition
from mtst.runs.state import Running
from mtst.text import escape_html
from mtst.training.events import Failed, Finished
from mtst.ui.components.html import quiet

LOADING = ("Loading the encoder", "a few seconds")
OLD = "the one before training"


def format_duration(seconds: float) -> str:
    """Return a time as people say it."""
    whole = round(seconds)
    return f"{whole} s" if whole < 100 else f"{whole // 60} min {whole % 60:02d} s"


def status(
    history: History, place: QueuePosition | None = None, stopping: bool = False, saved: Mapping[str, Any] | None = None
) -> str:
    """Return the state of a run: a chip, a headline, the time, a bar; `saved` is how far its checkpoint has come."""
    step, steps = history.last_step, history.total_steps
    match history.state:
        case Failed() as failed:
            return state_line(failed.state, *_broken_off(failed, saved), step, steps)
        case Finished() as finished:
            return state_line(history.outcome, *_finished(history, finished), step, steps)
    if stopping:
        return state_line("stopping", "Stopping", "the best model so far is kept", step, steps)
    if place:
        return state_line("queued", *queue_status(place), step, steps)
    if history.is_waiting or not history.has_started:
        return state_line("starting", *LOADING, step, steps)
    validating = history.state == Running(validating=True)
    return state_line(
        "validating" if validating else "running", *_progress(history, validating=validating), step, steps
    )


def queue_status(place: QueuePosition) -> tuple[str, str]:
    """Return the place of a run that waits, and how long that may take."""
    title = "Next in line" if place.number == 1 else f"Waiting, number {place.number} of {place.of} in line"
    wait = (
        "it starts by itself"
        if place.seconds is None
        else f"it starts in about {format_duration(max(1, place.seconds))}"
    )
    return title, wait


def best_model_note(saved: Mapping[str, Any] | None) -> str:
    """Say which model a run that broke off leaves, by its checkpoint."""
    if not saved:
        return ""
    epoch = saved["best"]["epoch"]
    return quiet(f"The run broke off. The best model until then is kept: {f'that of epoch {epoch}' if epoch else OLD}.")


def _broken_off(failed: Failed, saved: Mapping[str, Any] | None) -> tuple[str, str]:
    """Return a headline for a run that has not come to its end, and why."""
    if failed.state == "stopped":
        return "Stopped before it began", failed.message
    title = "Training was interrupted" if failed.state == "interrupted" else "Training failed"
    then = f"Resume goes on after epoch {saved['epoch']}." if saved else "Resume begins again."
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
        return "no epoch had ended, so the model is as it was"
    best = finished.best_epoch
    return f"the model of epoch {best} is kept" if best else "the model before training was the best"


def _progress(history: History, *, validating: bool) -> tuple[str, str]:
    """Return what a run does now, and its time."""
    so_far = f"{format_duration(history.elapsed)} so far"
    read = _reading(history)
    if read:
        return f"{read}: {_embedded(history)}", so_far
    if not history.steps and not history.epochs:
        return "Measuring the model before training", so_far
    if history.last_step == history.total_steps and not validating:
        return "Keeping the best model", so_far
    epoch = min(history.total_epochs, 1 + history.last_epoch)
    left = history.remaining
    time = so_far if left is None else f"{so_far}, about {format_duration(max(1, left))} to go"
    return f"{'Validating epoch' if validating else 'Epoch'} {epoch} of {history.total_epochs}", time


def _reading(history: History) -> str:
    """Return for what sentences are read once now; nothing while they are not."""
    read = history.embedded
    if not history.epochs and not history.baselines:
        return "Reading each sentence once"
    if read is None or read.rows == read.total:
        return ""
    if not history.epochs:
        return "Reading each sentence once, up to the lowest open layer"
    newest = max(ended.seconds for ended in (*history.epochs[-1:], *history.steps[-1:]))
    return "A layer group opens: reading each sentence once more" if read.seconds > newest else ""


def _embedded(history: History) -> str:
    if history.embedded:
        return f"{history.embedded.rows:,} of {history.embedded.total:,}"
    return f"0 of {history.started.train_rows + history.started.validation_rows:,}"


def idle_status(text: str) -> str:
    return state_line("ready", "Ready to train", text)


def state_line(state: str, title: str, note: str, step: int = 0, steps: int = 0, *, what: str = "Training") -> str:
    """Return a chip with the state, a headline, a note, and a bar if there are steps of `what`."""
    share = 100 * step / steps if steps else 0
    bar = (
        f'<div class="bar" role="progressbar" aria-label="{what}" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{share:.0f}"><i style="width: {share:.1f}%"></i></div>'
    )
    return (
        f'<div class="status {state}"><span class="chip">{state}</span><b>{escape_html(title)}</b>'
        f'<span class="quiet">{escape_html(note)}</span>{bar if steps else ""}</div>'
    )
