"""The scenarios of a comparison as a list: the best first, each with its picture, its score and interval; no gradio."""

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from mtst.comparison.description import distance_to_leader, stopping_point
from mtst.comparison.known_results import REFERENCE
from mtst.comparison.recommendation import Recommendation, recommend
from mtst.comparison.results import ZERO_SHOT, Comparison, ScenarioResult, title_of
from mtst.ui.components.run_status import format_duration
from mtst.ui.components.templates import render
from mtst.ui.plots import numbers
from mtst.ui.plots.score_axis import ScoreAxis

Pictures = Mapping[str, str]  # by scenario, the variables that `mtst.ui.plots.layer_picture.picture_variables` returns


@dataclass(frozen=True)
class _Line:
    """One scenario; positions are per cent of the length of the axis, `at` is None left of its beginning."""

    title: str
    picture: str
    note: str
    state: str
    score: str
    interval: str
    over: str
    took: str
    at: float | None
    left: float
    width: float


def ranking(comparison: Comparison, pictures: Pictures) -> Markup:
    """Return the list; nothing before the comparison has begun."""
    if not comparison.has_started:
        return Markup()
    advice = recommend(comparison)
    rows = sorted(comparison.results, key=lambda row: -row.score)
    intervals = advice.intervals if advice else {}
    lows = [intervals.get(row.scenario, (row.score, 0))[0] for row in rows if row.scenario != ZERO_SHOT]
    axis = ScoreAxis.below(lows)
    reference = next((row.score for row in rows if row.scenario == REFERENCE), None)
    kept = [row for row in rows if row.scenario not in comparison.dropped]
    now, waiting = _ahead(comparison)
    return render(
        "scenarios/ranking",
        judged="cross-validation" if comparison.folds > 1 else "test rows",
        lines=[_line(row, comparison, advice, pictures, axis, reference) for row in kept],
        stopped=[_stopped(key, comparison, advice, pictures, axis, reference) for key in comparison.dropped],
        now=now,
        waiting=waiting,
        ticks=axis.ticks,
        reference=None if reference is None else axis.position(reference),
        has_intervals=bool(intervals),
    )


def _line(
    row: ScenarioResult,
    comparison: Comparison,
    advice: Recommendation | None,
    pictures: Pictures,
    axis: ScoreAxis,
    reference: float | None,
) -> _Line:
    low, high = (advice.intervals if advice else {}).get(row.scenario, (row.score, row.score))
    low, high = max(0.0, low), min(1.0, high)
    chosen = advice is not None and comparison.is_over and row.scenario == advice.chosen.scenario
    over = "" if reference is None or row.scenario == REFERENCE else numbers.points(row.score - reference)
    return _Line(
        title=title_of(row.scenario, comparison.tasks),
        picture=pictures.get(row.scenario, ""),
        note="Recommended" if chosen else _note(row, comparison, advice),
        state="chosen" if chosen else "",
        score=numbers.percent(row.score),
        interval=f"{numbers.percent(low)} to {numbers.percent(high)}" if high > low else "",
        over=over,
        took=format_duration(row.seconds) if row.seconds >= 1 else f"{row.seconds:.1f} s",
        at=axis.position(row.score) if row.score >= axis.start else None,
        left=axis.position(low),
        width=axis.position(high) - axis.position(low),
    )


def _note(row: ScenarioResult, comparison: Comparison, advice: Recommendation | None) -> str:
    """Return how a scenario stands to the recommended one, once all have ended."""
    if row.share < 1 and not comparison.is_over:
        return "so far"
    parts = ["nothing is trained"] if row.scenario == ZERO_SHOT else []
    if row.scenario == REFERENCE:
        parts.append("the reference")
    elif advice and comparison.is_over and row.scenario in advice.to_chosen and not parts:
        difference = advice.to_chosen[row.scenario]
        tied = difference.low <= 0 <= difference.high
        parts.append("tied with it" if tied else "scores less" if difference.high < 0 else "scores a little more")
    return ", ".join(parts)


def _stopped(
    key: str,
    comparison: Comparison,
    advice: Recommendation | None,
    pictures: Pictures,
    axis: ScoreAxis,
    reference: float | None,
) -> _Line:
    """Return a scenario that was stopped early, with the score that it had then."""
    dropped = comparison.dropped[key]
    row = next((row for row in comparison.results if row.scenario == key), None)
    distance = distance_to_leader(dropped, title_of(dropped.leader, comparison.tasks))
    note = f"stopped {stopping_point(dropped, comparison.folds)}, {distance}"
    if row:
        line = _line(row, comparison, advice, pictures, axis, reference)
        return _Line(**(vars(line) | {"note": note, "state": "stopped"}))
    title, at = title_of(key, comparison.tasks), axis.position(dropped.score) if dropped.score >= axis.start else None
    score = numbers.percent(dropped.score)
    return _Line(title, pictures.get(key, ""), note, "stopped", score, "", "", "", at, at or 0.0, 0.0)


def _ahead(comparison: Comparison) -> tuple[str, list[str]]:
    """Return what trains now, with its epochs, and the scenarios that have not begun."""
    now = comparison.current
    if now is None:
        return "", []
    epochs = [epoch for epoch in comparison.epochs if epoch.attempt == now]
    done = f", epoch {epochs[-1].epoch} of {epochs[-1].epochs}" if epochs and epochs[-1].epochs else ""
    begun = {one.scenario for one in comparison.tried} | {now.scenario}
    waiting = dict.fromkeys(one.scenario for one in comparison.attempts if one.scenario not in begun)
    return title_of(now.scenario, comparison.tasks) + done, [title_of(key, comparison.tasks) for key in waiting]
