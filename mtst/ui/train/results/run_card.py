"""The card of a run to share: its verdict, its scores beside their baselines, and how far each layer moved."""

from collections.abc import Mapping, Sequence

from mtst.data.tasks import Task
from mtst.errors import RunError
from mtst.evaluation.score_interval import macro_f1_interval
from mtst.evaluation.scores import Scores
from mtst.runs.history import History
from mtst.runs.job import Job
from mtst.training.events import GroupPlan
from mtst.training.scenarios import find_scenario
from mtst.ui.components.events import Update
from mtst.ui.components.layer_map import fills
from mtst.ui.components.share_card import CardScore, ShareCard, card_layers, hide_card, show_card
from mtst.ui.plots import numbers
from mtst.ui.services.services import Services
from mtst.ui.train.results import verdict
from mtst.ui.train.results.verdict import MAX_TASKS, Result


def share_run(services: Services, token: str | None) -> Update:
    """Return the update that shows the card of a run; it stays hidden where there is no result."""
    try:
        folder = services.runs.folder(token)
        history, job = services.run_history(folder.path.name), folder.job()
        return show_card(run_card(history, job))
    except RunError:
        return hide_card()


def run_card(history: History, job: Job) -> ShareCard:
    """Return the card of a run.

    Raises:
        RunError: it has not finished, or its model was not measured.
    """
    started, measured = history.started, verdict.results(history)
    if not measured:
        raise RunError(verdict.NOTHING_MEASURED)
    several, shown = len(measured) > 1, measured[:MAX_TASKS]
    moved = {group.key: group.change for group in history.finished.proof if not group.same}
    epochs = max(1, history.last_epoch)  # it may have been stopped
    rows = started.train_rows + started.validation_rows
    return ShareCard(
        title=verdict.verdict(history, measured),
        about=f"{find_scenario(started.scenario, started.tasks).title} · {rows:,} rows, {count_labels(started.tasks)}",
        big=[(numbers.percent(each.scores.macro_f1), each.task if several else "") for each in shown],
        measure=f"macro-F1 on {started.validation_rows:,} held-out rows",
        scores=[score for each in shown for score in _scores(each, several=several)],
        interval="95% interval",
        layers=card_layers(
            history.groups,
            epochs,
            fills(history.groups, moved),
            {group.key: _moved(group, moved, epochs) for group in history.groups},
        ),
        layer_words="weights changed by",
        epochs=epochs,
        encoder=job.encoder.rpartition("/")[2],
    )


def count_labels(tasks: Sequence[Task]) -> str:
    """Return how many labels and tasks there are, in words."""
    labels = sum(len(task.labels) for task in tasks)
    return f"{labels} labels" if len(tasks) == 1 else f"{len(tasks)} tasks, {labels} labels"


def _scores(result: Result, *, several: bool) -> list[CardScore]:
    """Return the score of a task, and that of its best baseline if one was measured."""
    own = _score(result.task if several else "This run", result.scores, result.colour)
    return [own, _score(result.baseline_title, result.baseline)] if result.baseline else [own]


def _score(title: str, scores: Scores, colour: str = "") -> CardScore:
    return CardScore(title, scores.macro_f1, *macro_f1_interval(scores), colour)


def _moved(group: GroupPlan, moved: Mapping[str, float], epochs: int) -> str:
    """Return how far a group moved, in a word or two."""
    if group.key in moved:
        return numbers.change(moved[group.key])
    return "frozen" if group.opens_at is None or group.opens_at > epochs else "unchanged"
