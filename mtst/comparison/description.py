"""A recommendation in sentences."""

from collections.abc import Callable, Sequence

from mtst.comparison.best_guess import BestGuess
from mtst.comparison.difference import MIN_GAIN, Difference
from mtst.comparison.events import Dropped
from mtst.comparison.known_results import REFERENCE
from mtst.comparison.recommendation import Recommendation
from mtst.comparison.results import ScenarioResult
from mtst.data.tasks import Task
from mtst.text import quantity
from mtst.training.scenarios import find_scenario


def describe(advice: Recommendation, tasks: Sequence[Task]) -> list[str]:
    """Return a recommendation in sentences, the most important first."""

    def title(key: str) -> str:
        return f"“{find_scenario(key, tasks).title}”"

    sentences = []
    if advice.useless:
        sentences.append("None of these is shown to be better than always answering with the most frequent label.")
    sentences += _choice(advice, title) if advice.enough else _uncertain_choice(advice, title)
    if advice.regression >= MIN_GAIN:
        sentences.append(
            f"A logistic regression on the frozen embeddings scored {_points(advice.regression)} than the best of "
            "these, perhaps by chance: these labels may need no training of the encoder."
        )
    sentences += [
        f"{title(dropped.scenario)} was stopped {stopping_point(dropped, advice.folds)}, "
        f"{distance_to_leader(dropped, title(dropped.leader))}."
        for dropped in advice.dropped
    ]
    return sentences


def _uncertain_choice(advice: Recommendation, title: Callable[[str], str]) -> list[str]:
    wide = max(advice.open, key=lambda difference: difference.high)
    guess, chosen = advice.guess, title(advice.chosen.scenario)
    if guess is None:
        choice = f"Until there are more rows, take {chosen}, the cheapest that nothing is shown to beat."
    elif guess.scenario == REFERENCE:
        choice = f"With {_public(guess)}, the best guess is {chosen}: no other is expected to score clearly more."
    else:
        gain = f"{100 * guess.gain:.0f} points more than {title(REFERENCE)}"
        choice = f"With {_public(guess)}, the best guess is {chosen}: {gain} are expected."
    return [
        "Not enough data to tell.",
        f"{title(wide.scenario)} scored {_points(wide.gain)} than {title(advice.cheapest.scenario)}, but with "
        f"{advice.judged_by} anything from {_bounds(wide)} is possible.",
        choice,
    ]


def _choice(advice: Recommendation, title: Callable[[str], str]) -> list[str]:
    chosen, rows = advice.chosen, {row.scenario: row for row in advice.rows}
    sentences = [f"Take {title(chosen.scenario)}."]
    if advice.cheaper:
        least = min(advice.cheaper, key=lambda difference: difference.gain)
        sentences.append(
            f"It scored {_points(least.gain)} ({_bounds(least)}) than {title(least.than)}, the best that is cheaper, "
            f"and took {_times(chosen, rows[least.than])}."
        )
        if not least.shown and (expected := _expected_gain(advice.guess, least)):
            sentences.append(f"These rows alone do not show this; {expected}.")
    best = max(advice.dearer, key=lambda difference: difference.gain, default=None)
    if best and best.gain > 0:
        within = "which may be chance" if not best.shown and best.least <= 0 else "too little to matter"
        sentences.append(
            f"{title(best.scenario)} scored {_points(best.gain)} ({_bounds(best)}), {within}, and took "
            f"{_times(rows[best.scenario], chosen)}."
        )
    elif best:
        sentences.append("Nothing that costs more scored higher.")
    return sentences


def _expected_gain(guess: BestGuess | None, difference: Difference) -> str:
    """Return what rows and public sets together say of a difference; nothing if they say too little."""
    if guess is None or not {difference.scenario, difference.than} <= guess.gains.keys():
        return ""
    gain = guess.gains[difference.scenario] - guess.gains[difference.than]
    return f"together with {_public(guess)}, they suggest {100 * gain:.1f} points more"


def _public(guess: BestGuess) -> str:
    return f"{guess.results} results on public data with about as many rows per label"


def stopping_point(dropped: Dropped, folds: int) -> str:
    """Return when a scenario was stopped, in words."""
    if dropped.epoch is not None:
        return f"after {quantity(dropped.epoch, 'epoch')}"
    return f"after {quantity(dropped.rounds, 'fold' if folds > 1 else 'seed')}"


def distance_to_leader(dropped: Dropped, leader: str) -> str:
    """Return how far a stopped scenario was behind another, or why it was stopped although it was not."""
    behind = 100 * (dropped.leader_score - dropped.score)
    if behind >= 0:
        return f"{behind:.1f} points behind {leader}"
    return f"{-behind:.1f} points ahead of {leader}, which is expected to score more by public results"


def _points(gain: float) -> str:
    return f"{abs(100 * gain):.1f} points {'more' if gain >= 0 else 'less'}"


def _bounds(difference: Difference) -> str:
    return f"{100 * difference.low:+.1f} to {100 * difference.high:+.1f}"


def _times(row: ScenarioResult, than: ScenarioResult) -> str:
    factor = row.seconds / max(than.seconds, 0.01)
    return f"{factor:.0f} times as long" if factor >= 2 else f"{100 * (factor - 1):.0f}% longer"
