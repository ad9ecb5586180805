"""What is known before any training: how the scenarios did on public sets with about as many rows for each label.

The results stand in `assets/known_results.csv`, as `python -m tests.bench.budgets --known` writes them: mean macro-F1
on test rows, of runs with the default settings.
"""

import csv
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from math import log
from statistics import mean

from mtst.assets import KNOWN_RESULTS
from mtst.comparison.difference import MIN_GAIN
from mtst.data.tasks import Task
from mtst.training.scenarios import FIXED

REFERENCE = "freeze-encoder"  # what gains are measured against
FACTOR = 2.5  # a set counts if it has at most so many times more or fewer rows for each label
MIN_SETS = 3
MEASURED_SHARE = 0.75  # of the results, that a scenario has to be measured in
CHEAPER = "top-k"  # of the scenarios that train the encoder, the one whose steps cost least


@dataclass(frozen=True)
class KnownResult:
    """The score of one scenario on some rows of a public set, between 0 and 1."""

    source: str
    rows: int
    labels: int
    scenario: str
    score: float


@dataclass(frozen=True, eq=False)
class Expectation:
    """What to expect of each scenario, by its scores on public sets.

    Attributes:
        rows_per_label: the rows for each label that it is for.
        scores: for each result, the macro-F1 of the scenarios, `REFERENCE` among them; a set with several numbers of
            rows counts for each.
    """

    rows_per_label: float
    scores: tuple[Mapping[str, float], ...]

    @property
    def results(self) -> int:
        """How many results it is from."""
        return len(self.scores)

    @cached_property
    def gains(self) -> Mapping[str, float]:
        """The mean difference of each scenario to heads only on a frozen encoder, in macro-F1.

        Scenarios count if they were measured in so much of the results: gains over other sets compare badly.
        """
        counts = Counter(scenario for scores in self.scores for scenario in scores)
        least = max(MIN_SETS, MEASURED_SHARE * len(self.scores))
        return {key: mean(self.differences(key, REFERENCE)) for key, count in counts.items() if count >= least}

    def differences(self, scenario: str, than: str) -> list[float]:
        """Return by how much one scenario is above another in each result that has both."""
        return [scores[scenario] - scores[than] for scores in self.scores if {scenario, than} <= scores.keys()]

    @property
    def best(self) -> str:
        """The scenario with the highest mean gain."""
        return max(self.gains, key=lambda key: self.gains[key])


def expect_for(tasks: Sequence[Task], labelled_rows: Callable[[Task], int]) -> Expectation | None:
    """Return what to expect by the task that has most labels; None if too little is known.

    Args:
        tasks: the tasks.
        labelled_rows: how many rows there are for a task.
    """
    task = max(tasks, key=lambda task: len(task.labels))
    return expect(labelled_rows(task), len(task.labels))


def expect(rows: int, labels: int, *, without: str = "") -> Expectation | None:
    """Return what to expect with so many labelled rows of a task with so many labels; None if too little is known.

    A set counts if its rows for each label are `FACTOR` times as many or as few at most, and if more than the reference
    was measured on it.

    Args:
        rows: labelled rows.
        labels: labels of the task that has most.
        without: a set that is left out, so that it does not judge itself.
    """
    wanted = rows / max(1, labels)
    scores: dict[tuple[str, int], dict[str, float]] = defaultdict(dict)
    for result in known_results():
        if result.source != without and abs(log(result.rows / result.labels / wanted)) <= log(FACTOR):
            scores[result.source, result.rows][result.scenario] = result.score
    measured = [of_set for of_set in scores.values() if REFERENCE in of_set and len(of_set) > 1]
    if len(measured) < MIN_SETS:
        return None
    return Expectation(wanted, tuple(measured))


@cache
def known_results() -> tuple[KnownResult, ...]:
    """Return all known results."""
    with KNOWN_RESULTS.open(encoding="utf-8", newline="") as file:
        return tuple(
            KnownResult(row["set"], int(row["rows"]), int(row["labels"]), row["scenario"], float(row["score"]))
            for row in csv.DictReader(file)
        )


def describe_expectation(expected: Expectation) -> str:
    """Return in one or two sentences what the public sets say."""
    titles = {scenario.key: scenario.title for scenario in FIXED}
    best, gains = expected.best, expected.differences(expected.best, REFERENCE)
    per_label = f"about {expected.rows_per_label:.0f} rows per label" if expected.rows_per_label >= 2 else "so few rows"
    where = f"In {expected.results} tests on public data with {per_label}"
    if best == REFERENCE or expected.gains[best] < MIN_GAIN:
        return f"{where}, no scenario was clearly better than “{titles[REFERENCE]}”."
    sentence = (
        f"{where}, “{titles[best]}” scored highest on average: {100 * expected.gains[best]:.0f} points more than "
        f"“{titles[REFERENCE]}” in macro-F1 (better in {sum(gain > 0 for gain in gains)} of {len(gains)})."
    )
    cheaper = expected.gains.get(CHEAPER)
    if cheaper is None or best == CHEAPER:
        return sentence
    return f"{sentence} “{titles[CHEAPER]}”, which costs less: {100 * cheaper:+.0f} points."
