"""A comparison of scenarios in words and tables; nothing here knows gradio."""

import re
from collections.abc import Mapping, Sequence
from statistics import mean
from types import MappingProxyType

from markupsafe import Markup

from mtst.comparison.description import describe, stopping_point
from mtst.comparison.events import LearningCurve
from mtst.comparison.known_results import REFERENCE
from mtst.comparison.recommendation import Recommendation, recommend
from mtst.comparison.results import ZERO_SHOT, Comparison, ScenarioResult, title_of
from mtst.evaluation.scores import Scores
from mtst.text import inline_text
from mtst.ui.components.html import quiet, table
from mtst.ui.components.run_status import format_duration, rough_duration
from mtst.ui.components.templates import render
from mtst.ui.plots import numbers

COSTS = ("seed spread", "seconds", "seconds per point gained", "trained parameters", "encoder drift", "frozen head")
OVER_HEADS = "over heads only"
SAME_SCORE = 0.005  # macro-F1; smaller differences are not reported
NO_PICTURES: Mapping[str, str] = MappingProxyType({})
NEGATIVE = re.compile(r"(?<![^\s(])-(?=\d)")
NOT_YET = quiet("The recommendation appears when two scenarios have ended.")


def recommendation(comparison: Comparison, source: str = "", pictures: Mapping[str, str] = NO_PICTURES) -> Markup:
    """Return which scenario to take, why, and what it gains.

    Args:
        comparison: its state.
        source: names the rows.
        pictures: as `mtst.ui.scenarios.ranking.ranking` takes them.
    """
    advice = recommend(comparison)
    if advice is None:
        return NOT_YET
    first, *rest = (NEGATIVE.sub(numbers.MINUS, sentence) for sentence in describe(advice, comparison.tasks))
    big, of_what, facts = _gained(advice, title_of(REFERENCE, comparison.tasks))
    return render(
        "scenarios/recommendation",
        first=first,
        rest=" ".join(rest),
        over=comparison.is_over,
        source=inline_text(source, 60),
        judged_by=advice.judged_by,
        folds=advice.folds,
        seeds=len({attempt.seed for attempt in comparison.attempts}),
        picture=pictures.get(advice.chosen.scenario, ""),
        big=big,
        of_what=of_what,
        facts=" · ".join(facts),
    )


def _gained(advice: Recommendation, reference: str) -> tuple[str, str, list[str]]:
    """Return the gain of the recommended scenario, or its score, what that is, and what else to know of it."""
    chosen, over = advice.chosen, advice.over_reference
    score, took = numbers.percent(chosen.score), f"trains in about {rough_duration(chosen.seconds)}"
    if over:
        interval = f"90% interval {numbers.points(over.low)} to {numbers.points(over.high)}"
        return (
            f"{numbers.points(over.gain)} points",
            f"macro-F1 over {reference}",
            [interval, f"{score} macro-F1", took],
        )
    low, high = advice.intervals[chosen.scenario]
    interval = f"90% interval {numbers.percent(max(0.0, low))} to {numbers.percent(min(1.0, high))}"
    what = "is what gains are measured against" if chosen.scenario == REFERENCE else "was not compared"
    return score, f"macro-F1; {reference} {what}", [interval, took]


def scores_table(comparison: Comparison) -> Markup:
    """Return the table of the scenarios, the baselines first; columns without any value are left out."""
    if not comparison.has_started:
        return Markup()
    started = comparison.started
    names = [task.name for task in started.tasks]
    scores = {row.scenario: row.score for row in comparison.results}
    by_score = sorted(comparison.results, key=lambda row: -row.score)
    advice = recommend(comparison) if comparison.is_over else None
    chosen = advice.chosen.scenario if advice else ""
    rows = [
        _baseline("majority class", started.majority, names),
        _baseline("logistic regression", started.logistic, names),
        *(_scenario(row, comparison, scores, chosen=row.scenario == chosen) for row in by_score),
        *(_unfinished(key, comparison) for key, dropped in comparison.dropped.items() if not dropped.rounds),
    ]
    header = ["scenario", "mean", OVER_HEADS, *(f"{inline_text(name, 20)}" for name in names), *COSTS]
    filled = [column for column in range(len(header)) if any(row[column] for row in rows)]
    return table(
        [header[column] for column in filled],
        [[row[column] for column in filled] for row in rows],
        caption=f"Macro-F1 {'in cross-validation' if comparison.folds > 1 else 'on the test rows'}, × 100, and cost",
        text_columns=(0,),
    )


def _baseline(title: str, scores: dict[str, Scores], names: Sequence[str]) -> list[str]:
    by_task = [scores[name].macro_f1 if name in scores else None for name in names]
    known = [score for score in by_task if score is not None]
    return [title, _score(mean(known) if known else None), "", *map(_score, by_task), *[""] * len(COSTS)]


def _scenario(row: ScenarioResult, comparison: Comparison, scores: Mapping[str, float], *, chosen: bool) -> list[str]:
    """Return the row of a scenario; `scores` are those of all."""
    gain = row.score - scores.get(ZERO_SHOT, row.score)
    over_heads = row.score - scores.get(REFERENCE, row.score)
    heads = ", ".join(f"{inline_text(name, 20)} {100 * change:+.1f}" for name, change in row.frozen_heads.items())
    return [
        _title(row.scenario, comparison) + (" ← recommended" if chosen else ""),
        _score(row.score),
        "" if row.scenario == REFERENCE or REFERENCE not in scores else f"{100 * over_heads:+.1f}",
        *(_score(row.tasks.get(task.name)) for task in comparison.tasks),
        "" if row.spread is None else f"{100 * row.spread:.1f}",
        f"{row.seconds:.1f}",
        f"{row.seconds / (100 * gain):.1f}" if gain > SAME_SCORE else "",
        f"{row.parameters:,}",
        f"{row.drift:.3f}" if row.drift else "",
        heads,
    ]


def _unfinished(scenario: str, comparison: Comparison) -> list[str]:
    """Return the row of a scenario that was stopped in its first attempt, so that it has no score."""
    return [_title(scenario, comparison), *[""] * (2 + len(comparison.tasks) + len(COSTS))]


def _title(scenario: str, comparison: Comparison) -> str:
    """Return the name of a scenario, and when it was stopped early."""
    title, dropped = title_of(scenario, comparison.tasks), comparison.dropped.get(scenario)
    return f"{title} (stopped {stopping_point(dropped, comparison.folds)})" if dropped else title


def _score(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}"


def joint_training(comparison: Comparison) -> Markup:
    """Return what the tasks gain from being learnt together, where each was also trained alone."""
    scores = comparison.alone_and_together()
    if not scores:
        return Markup()
    rows = [
        [inline_text(name, 40), _score(alone), _score(joint), f"{100 * (joint - alone):+.1f}"]
        for name, (alone, joint) in scores.items()
    ]
    scenarios = {attempt.task: attempt.scenario for attempt in comparison.attempts if attempt.task}
    scenario = next(iter(scenarios.values()))
    caption = f"Joint or separate training ({title_of(scenario, comparison.tasks)}, same rows and epochs)"
    compared = table(("task", "alone", "together", "gained"), rows, caption=caption)
    too_few = [task.name for task in comparison.tasks if task.name not in scenarios]
    if not too_few:
        return compared
    return compared + quiet(f"Too few labelled rows for separate training: {inline_text(', '.join(too_few), 200)}.")


def more_data(curve: LearningCurve | None) -> Markup:
    """Return whether more rows would help."""
    if curve is None:
        return Markup()
    if not curve.projected:
        return quiet("Too few rows to tell whether more would help.")
    now = mean(curve.scores[-1])
    rows, (low, middle, high) = next(iter(curve.projected.items()))
    if low - now > SAME_SCORE:
        verdict = "More rows would help"
    elif high - now > SAME_SCORE:
        verdict = "More rows may help"
    else:
        verdict = "More rows like these would hardly help"
    return quiet(
        f"{verdict}: a logistic regression on frozen embeddings reaches {100 * now:.1f} with {curve.rows[-1]:,} rows, "
        f"and its curve leads to {100 * middle:.1f} ({100 * low:.1f} to {100 * high:.1f}) with {rows:,}. "
        f"Measured in {format_duration(curve.seconds)}."
    )


def progress(comparison: Comparison) -> tuple[str, str]:
    """Return what a comparison does now, and how far it is."""
    if not comparison.has_started:
        return "Embedding sentences", "then every scenario trains in turn"
    completed, total = len(comparison.completed), len(comparison.attempts)
    now = comparison.current
    if now is None:
        return "Done", f"{completed} of {total} runs"
    name = title_of(now.scenario, comparison.tasks) + (f", {inline_text(now.task, 30)} alone" if now.task else "")
    epochs = [epoch for epoch in comparison.epochs if epoch.attempt == now]
    done = f", epoch {epochs[-1].epoch} of {epochs[-1].epochs} done" if epochs and epochs[-1].epochs else ""
    seed = f", seed {now.seed}" if len({attempt.seed for attempt in comparison.attempts}) > 1 else ""
    fold = f", fold {now.fold + 1} of {comparison.folds}" if comparison.folds > 1 else ""
    return f"{name}{seed}{fold}{done}", f"run {completed + 1} of {total}"
