"""The list of a visitor's runs: what each is on, its score and time, and what can be done with it."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import mean

import gradio as gr
from markupsafe import Markup

from mtst.errors import RunError, SettingsError
from mtst.evaluation.scores import Scores, mean_macro_f1
from mtst.runs.history import History
from mtst.runs.job import Job
from mtst.text import inline_text
from mtst.training.scenarios import find_scenario
from mtst.ui.components import run_status
from mtst.ui.components.events import UNCHANGED, Update
from mtst.ui.components.live_plot import hide_figure, show_figure
from mtst.ui.components.templates import render
from mtst.ui.plots import numbers
from mtst.ui.plots.runs import RunCurve, overlay
from mtst.ui.services import run_controls as shared
from mtst.ui.services.services import Services
from mtst.ui.train.saved_runs import SavedRun, SavedRuns


@dataclass(frozen=True)
class RunListView:
    """The list, the card around it, the curves of the runs that are drawn, and the field for another name.

    A new `turn` lets the page show another run, or none, or the same one beside another baseline.
    """

    runs: dict[str, object] = UNCHANGED
    run: str | None = UNCHANGED
    runs_card: Update = UNCHANGED
    run_list: str = UNCHANGED
    overlay: Update = UNCHANGED
    renaming: str = UNCHANGED
    rename_row: Update = UNCHANGED
    new_name: Update = UNCHANGED
    turn: str = UNCHANGED
    download: Update = UNCHANGED
    packing: Update = UNCHANGED


@dataclass(frozen=True)
class KnownRun:
    """A run of the list that the server still has."""

    saved: SavedRun
    job: Job
    history: History
    started: float

    @property
    def name(self) -> str:
        """The name that its visitor gave it, or what it is on."""
        return self.saved.name or default_name(self.job, self.history)

    @property
    def score(self) -> float | None:
        """The mean macro-F1 of the epoch that is kept so far."""
        measured = self.history.best_validation
        return mean_macro_f1(measured) if measured else None


def default_name(job: Job, history: History) -> str:
    """Return what a run is on: its file and its scenario."""
    try:
        title = find_scenario(job.config.scenario, history.tasks).title
    except SettingsError:  # a scenario of one task has no title before that is known
        title = job.config.scenario
    return ", ".join(inline_text(part, 40) for part in (job.source.rpartition("/")[2], title) if part)


def known_runs(services: Services, saved: SavedRuns) -> list[KnownRun]:
    """Return the runs of the list that are still there, in its order; expired ones are left out."""
    known = []
    for run in saved.runs:
        try:
            folder = services.runs.folder(run.token)
            job, history = folder.job(), services.run_history(run.token)
            started = (folder.path / "config.json").stat().st_mtime
        except (RunError, OSError):
            continue
        if job.kind == "train":
            known.append(KnownRun(run, job, history, started))
    if saved.order == "score":
        known.sort(key=lambda run: -1.0 if run.score is None else run.score, reverse=True)
    return known


def show_runs(services: Services, stored: object, token: str | None, *, asking: str = "") -> RunListView:
    """Return the list with the run of the page, which is new in it if it has just begun.

    `asking` is the key of a run that its visitor is asked about before it is deleted.
    """
    saved = SavedRuns.read(stored).remember(token)
    known = known_runs(services, saved)
    gone = [run for run in saved.runs if run not in [each.saved for each in known]]
    for run in gone:
        saved = saved.forget(run.key)
    pinned = next((run for run in known if run.saved.key == saved.pinned), None)
    rows = [_row(run, saved, token, pinned) for run in known]
    drawn = [run for run in known if run.saved.key in saved.drawn and run.history.total_epochs]
    return RunListView(
        runs=saved.stored(),
        runs_card=gr.update(visible=bool(known), label=f"Your runs ({len(known)})"),
        run_list=render("train/runs", rows=rows, asking=asking, order=saved.order, hours=_hours(services)),
        overlay=show_figure(overlay(_curves(drawn))) if drawn else hide_figure(),
        rename_row=gr.update(visible=False),
    )


def press(services: Services, stored: object, token: str | None, key: str) -> RunListView:
    """Return the list after a button in it was pressed; `key` is what to do, and the key of a run.

    Raises:
        gr.Error: the run cannot be deleted.
    """
    action, _, which = key.partition(" ")
    saved = SavedRuns.read(stored)
    run = saved.find(which)
    if action == "sort":
        return show_runs(services, replace(saved, order="score" if which == "score" else "newest").stored(), token)
    if run is None:  # another tab has deleted it
        return show_runs(services, stored, token)
    match action:
        case "open":
            hidden = gr.update(visible=False)
            return replace(
                show_runs(services, stored, run.token), run=run.token, turn=_turn(), download=hidden, packing=hidden
            )
        case "pin":
            return replace(show_runs(services, saved.pin(which).stored(), token), turn=_turn())
        case "draw":
            return show_runs(services, saved.draw(which).stored(), token)
        case "rename":
            known = known_runs(services, replace(saved, runs=(run,)))
            name = known[0].name if known else ""
            shown = gr.update(visible=True)
            return RunListView(renaming=which, rename_row=shown, new_name=gr.update(value=name))
        case "ask":
            return show_runs(services, stored, token, asking=which)
        case "delete":
            shared.delete_run(services, run.token)
            shown_is_gone = run.token == token
            view = show_runs(services, saved.forget(which).stored(), None if shown_is_gone else token)
            return replace(view, run=None, turn=_turn()) if shown_is_gone else view
    return show_runs(services, stored, token)


def rename(services: Services, stored: object, token: str | None, key: str, name: str) -> RunListView:
    """Return the list with another name for a run."""
    saved = SavedRuns.read(stored).rename(key, name)
    view = show_runs(services, saved.stored(), token)
    return replace(view, turn=_turn()) if key == saved.pinned else view  # its name stands beside the score


def pinned_scores(services: Services, stored: object, token: str | None) -> tuple[str, dict[str, Scores]] | None:
    """Return the name and the scores of the run that is pinned as the baseline, unless it is the one shown."""
    saved = SavedRuns.read(stored)
    run = saved.find(saved.pinned)
    if run is None or run.token == token:
        return None
    known = known_runs(services, replace(saved, runs=(run,)))
    return (known[0].name, known[0].history.best_validation) if known else None


def _turn() -> str:
    return secrets.token_hex(8)


def _row(run: KnownRun, saved: SavedRuns, token: str | None, pinned: KnownRun | None) -> dict[str, object]:
    over = run.score - pinned.score if pinned and run is not pinned and run.score and pinned.score else None
    history = run.history
    return {
        "key": run.saved.key,
        "name": run.name,
        "about": default_name(run.job, history) if run.saved.name else "",
        "state": history.outcome if history.is_over else "waiting" if history.is_waiting else "running",
        "score": "" if run.score is None else numbers.percent(run.score),
        "over": "" if over is None else numbers.points(over),
        "took": run_status.format_duration(history.elapsed) if history.elapsed else "",
        "started": run.started,
        "shown": run.saved.token == token,
        "pinned": run is pinned,
        "drawn": run.saved.key in saved.drawn,
        "has_curve": bool(history.total_epochs),
    }


def _curves(runs: Sequence[KnownRun]) -> list[RunCurve]:
    return [
        RunCurve(
            run.name,
            [ended.epoch for ended in run.history.epochs],
            [mean(scores.macro_f1 for scores in ended.validation.values()) for ended in run.history.epochs],
        )
        for run in runs
    ]


def _hours(services: Services) -> Markup:
    return Markup(f"{services.settings.run_ttl_hours:g}")  # noqa: S704 (a number)
