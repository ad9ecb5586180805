"""A comparison of scenarios in words and tables; nothing here knows gradio."""

from collections.abc import Sequence
from statistics import mean

from mtst.comparison.events import LearningCurve
from mtst.comparison.recommendation import Recommendation, describe, recommend
from mtst.comparison.results import ZERO_SHOT, Comparison, ScenarioResult, title_of
from mtst.data.tasks import Task
from mtst.evaluation.scores import Scores
from mtst.text import escape_html, inline_text
from mtst.ui.components.html import quiet, table
from mtst.ui.components.run_status import format_duration

FIGURES = ("seeds apart", "seconds", "seconds a point gained", "weights trained", "encoder drift", "frozen head")
NEAR = 0.005  # macro-F1: scores that differ by less are said to be the same


def recommendation(comparison: Comparison, source: str = "") -> str:
    """Return which scenario to take, and why; `source` names the rows."""
    found = recommend(comparison)
    if found is None:
        return quiet("The recommendation appears when two scenarios have ended.")
    first, *rest = describe(found, comparison.started.tasks)
    soon = "" if comparison.over else quiet("Not all scenarios have ended: this may change.")
    return f'<p class="advice"><b>{escape_html(first)}</b> {escape_html(" ".join(rest))}</p>{soon}{_how(found, source)}'


def _how(found: Recommendation, source: str) -> str:
    where = f"{inline_text(source, 60)}, judged" if source else "Judged"
    return quiet(
        f"{where} by {found.test_rows:,} test rows that no scenario learnt from or chose its epoch by. In brackets: "
        "where the difference lies in nine of ten draws of these rows and seeds."
    )


def scores(comparison: Comparison) -> str:
    """Return the table of the scenarios, the baselines first; a column that says nothing is left out."""
    started = comparison.started
    if started is None:
        return ""
    names = [task.name for task in started.tasks]
    zero = next((row.score for row in comparison.rows if row.scenario == ZERO_SHOT), None)
    rows = [
        _baseline("majority class", started.majority, names),
        _baseline("logistic regression", started.logistic, names),
        *(_row(row, names, started.tasks, zero) for row in comparison.rows),
    ]
    header = ["scenario", "mean", *(f"{inline_text(name, 20)}" for name in names), *FIGURES]
    kept = [place for place in range(len(header)) if any(row[place] for row in rows)]
    return table(
        [header[place] for place in kept],
        [[row[place] for place in kept] for row in rows],
        caption="Macro-F1 on the test rows, × 100, and what it costs",
        text_columns=(0,),
    )


def _baseline(title: str, found: dict[str, Scores], names: Sequence[str]) -> list[str]:
    each = [found[name].macro_f1 if name in found else None for name in names]
    known = [value for value in each if value is not None]
    return [title, _score(mean(known) if known else None), *map(_score, each), *[""] * len(FIGURES)]


def _row(row: ScenarioResult, names: Sequence[str], tasks: Sequence[Task], zero: float | None) -> list[str]:
    gained = row.score - zero if zero is not None else 0.0
    heads = ", ".join(f"{inline_text(name, 20)} {100 * change:+.1f}" for name, change in row.frozen_heads.items())
    return [
        title_of(row.scenario, tasks),
        _score(row.score),
        *(_score(row.tasks.get(name)) for name in names),
        "" if row.spread is None else f"{100 * row.spread:.1f}",
        f"{row.seconds:.1f}",
        f"{row.seconds / (100 * gained):.1f}" if gained > NEAR else "",
        f"{row.parameters:,}",
        f"{row.drift:.3f}" if row.drift else "",
        heads,
    ]


def _score(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}"


def together(comparison: Comparison) -> str:
    """Say whether learning the tasks together helps, where each was also trained alone."""
    found = comparison.alone()
    if not found:
        return ""
    rows = [
        [inline_text(name, 40), _score(alone), _score(joint), f"{100 * (joint - alone):+.1f}"]
        for name, (alone, joint) in found.items()
    ]
    tried = {each.task: each.scenario for each in comparison.started.attempts if each.task}
    scenario = next(iter(tried.values()))
    caption = f"Learning together or alone ({title_of(scenario, comparison.started.tasks)}, same rows and epochs)"
    few = [task.name for task in comparison.started.tasks if task.name not in tried]
    note = quiet(f"Too few labelled rows to be learnt alone: {inline_text(', '.join(few), 200)}.") if few else ""
    return table(("task", "alone", "together", "gained"), rows, caption=caption) + note


def more_data(found: LearningCurve | None) -> str:
    """Say whether more rows would help."""
    if found is None:
        return ""
    if not found.projected:
        return quiet("There are too few rows to tell whether more would help.")
    now = found.scores[-1][0]
    rows, (low, middle, high) = next(iter(found.projected.items()))
    if low - now > NEAR:
        start = "More rows would help"
    elif high - now > NEAR:
        start = "More rows may help"
    else:
        start = "More rows like these would hardly help"
    return quiet(
        f"{start}: a logistic regression on frozen embeddings reaches {100 * now:.1f} with {found.rows[-1]:,} rows, "
        f"and its curve leads to {100 * middle:.1f} ({100 * low:.1f} to {100 * high:.1f}) with {rows:,}. "
        f"Measured in {format_duration(found.seconds)}."
    )


def progress(comparison: Comparison) -> tuple[str, str]:
    """Return what a comparison does now, and how far it is."""
    started = comparison.started
    if started is None:
        return "Reading each sentence once", "then every scenario trains in turn"
    made, of = len(comparison.made), len(started.attempts)
    now = comparison.running
    if now is None:
        return "Done", f"{made} of {of} attempts"
    name = title_of(now.scenario, started.tasks) + (f", {inline_text(now.task, 30)} alone" if now.task else "")
    epochs = [one for one in comparison.epochs if one.attempt == now]
    at = f", epoch {epochs[-1].epoch} of {epochs[-1].epochs} done" if epochs and epochs[-1].epochs else ""
    seed = f", seed {now.seed}" if len({each.seed for each in started.attempts}) > 1 else ""
    return f"{name}{seed}{at}", f"attempt {made + 1} of {of}"
