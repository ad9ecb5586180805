"""The card of a comparison to share: which scenario to take, its score beside the others, and what it opens."""

from mtst.comparison.description import describe
from mtst.comparison.known_results import REFERENCE
from mtst.comparison.recommendation import Recommendation, recommend
from mtst.comparison.results import Comparison, ScenarioResult, title_of
from mtst.errors import MtstError, RunError
from mtst.runs.job import Job
from mtst.training.config import TrainConfig
from mtst.ui.components.events import Update
from mtst.ui.components.share_card import CardScore, ShareCard, card_layers, hide_card, show_card
from mtst.ui.plots import numbers
from mtst.ui.plots.style import task_colour
from mtst.ui.services.services import Services
from mtst.ui.train.form.scenario_picker import plan_of, untrained_model
from mtst.ui.train.results.run_card import count_labels

MAX_SCORES = 5


def share_comparison(services: Services, token: str | None) -> Update:
    """Return the update that shows the card of a comparison; it stays hidden where nothing is recommended."""
    try:
        folder = services.runs.folder(token)
        return show_card(comparison_card(services, folder.job(), folder.history().comparison))
    except MtstError:
        return hide_card()


def comparison_card(services: Services, job: Job, comparison: Comparison) -> ShareCard:
    """Return the card of a comparison.

    Raises:
        EncoderError: its encoder is not here any more.
        RunError: nothing is recommended yet.
    """
    advice = recommend(comparison)
    if advice is None:
        raise RunError("No scenario is recommended yet. Wait until two have ended.")
    started, scenario = comparison.started, advice.chosen.scenario
    model = untrained_model(services, comparison.tasks, job.encoder)
    groups, epochs = plan_of(model, TrainConfig(scenario), started.train_rows)
    highest = max((group.rate for group in groups if group.task is None and group.open), default=1.0) or 1.0
    chosen, over = advice.chosen.score, advice.over_reference
    return ShareCard(
        title=_title(advice, comparison),
        about=f"{count_labels(comparison.tasks)} · {advice.judged_by}",
        big=[(f"{numbers.points(over.gain)} points" if over else numbers.percent(chosen), "")],
        measure=f"macro-F1 over {title_of(REFERENCE, comparison.tasks)}"
        if over
        else f"macro-F1 of {title_of(scenario, comparison.tasks)}",
        scores=_scores(advice, comparison),
        interval="90% interval",
        layers=card_layers(
            groups,
            epochs,
            {group.key: 1.0 if group.task is not None else group.rate / highest for group in groups},
            {group.key: numbers.rate(group.rate) if group.open else "frozen" for group in groups},
        ),
        layer_words="learning rate",
        epochs=epochs,
        encoder=job.encoder.rpartition("/")[2],
    )


def _title(advice: Recommendation, comparison: Comparison) -> str:
    """Return what to take, also where the rows do not tell."""
    first = describe(advice, comparison.tasks)[0]
    if advice.enough or advice.useless:
        return first
    return f"{first} The best guess is “{title_of(advice.chosen.scenario, comparison.tasks)}”."


def _scores(advice: Recommendation, comparison: Comparison) -> list[CardScore]:
    """Return the scores of the best scenarios with that of the chosen one, the highest first."""
    chosen = advice.chosen.scenario
    rows = sorted(advice.rows, key=lambda row: (row.scenario != chosen, -row.score))[:MAX_SCORES]
    return [_score(row, advice, comparison) for row in sorted(rows, key=lambda row: -row.score)]


def _score(row: ScenarioResult, advice: Recommendation, comparison: Comparison) -> CardScore:
    low, high = advice.intervals[row.scenario]
    colour = task_colour(0) if row is advice.chosen else ""
    title = title_of(row.scenario, comparison.tasks)
    return CardScore(title, row.score, max(0.0, low), min(1.0, high), colour)
