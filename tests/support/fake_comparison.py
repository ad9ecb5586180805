"""A comparison made by hand: two labels, and scenarios with a given share of correct answers."""

import numpy as np

from mtst.comparison.events import Attempt, AttemptEnded, ComparisonStarted
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
