"""A comparison made by hand: two labels, and scenarios with a given share of correct answers."""

from collections.abc import Sequence

import numpy as np

from mtst.comparison.events import Attempt, AttemptEnded, AttemptEpoch, ComparisonStarted
from mtst.comparison.results import Comparison
from mtst.data.tasks import Task
from mtst.evaluation.scores import LabelScores, Scores

TASK = Task("mood", ("good", "bad"))
Accuracies = dict[str, tuple[list[float], float]]  # by scenario: the accuracy of each seed, and seconds


def scores(share: float) -> Scores:
    return Scores(10, 0.5, *[share] * 5, calibration_error=0.1, labels=(LabelScores(5, share, share, share),) * 2)


def comparison_of(accuracies: Accuracies, rows: int = 400, seed: int = 0) -> Comparison:
    """Return a comparison on rows of which half have each label; the scenarios err independently of each other."""
    rng = np.random.default_rng(seed)
    truth = np.arange(rows) % 2
    comparison = Comparison()
    attempts = [Attempt(key, number) for key, (shares, _) in accuracies.items() for number in range(len(shares))]
    floor = {"mood": scores(0.33)}
    comparison.extend(
        [ComparisonStarted(tuple(attempts), (TASK,), 100, 20, {"mood": tuple(truth)}, floor, floor, "fp32", 1.0)]
    )
    for attempt in attempts:
        shares, seconds = accuracies[attempt.scenario]
        share = shares[attempt.seed]
        wrong = rng.choice(rows, round(rows * (1 - share)), replace=False)
        predicted = truth.copy()
        predicted[wrong] = 1 - predicted[wrong]
        comparison.extend(
            [AttemptEnded(attempt, 1, {"mood": tuple(predicted)}, {"mood": scores(share)}, 10, 0.0, seconds, 0.0)]
        )
    return comparison


class FoldsOfComparison(Comparison):
    """A cross-validation made by hand, whose attempts are right about a given share of the rows."""

    def __init__(self, shares: dict[str, float], rows: int) -> None:
        super().__init__()
        self.shares, self.rows = shares, rows
        self._rng = np.random.default_rng(0)

    def run(self, attempt: Attempt) -> None:
        """Add the events of an attempt."""
        truth, folds = np.array(self.started.truth["mood"]), self.started.folds
        rows = np.arange(attempt.fold, self.rows, folds)
        share = self.shares[attempt.scenario]
        predicted = truth[rows].copy()
        wrong = self._rng.choice(len(rows), round(len(rows) * (1 - share)), replace=False)
        predicted[wrong] = 1 - predicted[wrong]
        self.extend(
            [
                *(AttemptEpoch(attempt, epoch, 6, {"mood": scores(share)}, 0.0, 1.0) for epoch in range(7)),
                AttemptEnded(
                    attempt, 1, {"mood": tuple(predicted)}, {"mood": scores(share)}, 10, 0.0,
                    self.started.costs[attempt.scenario], 0.0, tuple(rows),
                ),
            ]
        )  # fmt: skip


def folds_of(
    shares: dict[str, float],
    costs: dict[str, float],
    rounds: int,
    rows: int,
    *,
    planned: Sequence[str] = (),
    folds: int = 5,
    alone: str | None = None,
) -> FoldsOfComparison:
    """Return a cross-validation of which some rounds have ended; each scenario takes as many seconds as passes."""
    keys = planned or tuple(shares)
    comparison = FoldsOfComparison(shares, rows)
    truth = {"mood": tuple(row // folds % 2 for row in range(rows))}
    attempts = [Attempt(key, 0, fold=fold) for fold in range(folds) for key in keys]
    attempts += [Attempt(alone, 0, "mood", fold) for fold in range(folds) if alone]
    floor = {"mood": scores(0.33)}
    comparison.extend(
        [
            ComparisonStarted(
                tuple(sorted(attempts, key=lambda one: one.round)), (TASK,), 100, 20, truth, floor, floor, "fp32", 1.0,
                folds=folds, costs={key: costs[key] for key in keys}, pace=1.0, race=True,
            )
        ]
    )  # fmt: skip
    for attempt in comparison.attempts:
        if attempt.fold < rounds and attempt.task is None and attempt.scenario in shares:
            comparison.run(attempt)
    return comparison
