from dataclasses import replace
from itertools import pairwise

import pytest

from mtst.comparison.estimate import (
    LOADING_SECONDS,
    Workload,
    expected_comparison_seconds,
    expected_run_seconds,
    remaining_seconds,
)
from mtst.comparison.events import AttemptEpoch
from mtst.comparison.rows import plan_comparison
from mtst.data.dataset import Dataset
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training.config import TrainConfig
from tests.support.fake_comparison import folds_of, scores

COSTS = {"freeze-encoder": 1.0, "top-k": 40.0, "train-all": 100.0}


def test_a_run_is_expected_to_take_longer_the_more_of_the_encoder_trains(tiny: MultiTaskSentenceTransformer) -> None:
    def expected(scenario: str, rows: int = 800) -> float:
        return expected_run_seconds(tiny, TrainConfig(scenario, epochs=4), Workload(rows, rows // 4, 0.01))

    nothing = expected_run_seconds(tiny, TrainConfig("freeze-all"), Workload(800, 200, 0.01))
    assert nothing == pytest.approx(LOADING_SECONDS + 10)
    heads, top, everything = map(expected, ("freeze-encoder", "top-k", "train-all"))
    assert nothing < heads < top <= everything
    assert expected("train-all", 1600) - LOADING_SECONDS == pytest.approx(2 * (everything - LOADING_SECONDS))


def test_a_comparison_is_expected_to_take_longer_with_seeds_and_shorter_with_a_race(
    tiny: MultiTaskSentenceTransformer, sample: Dataset
) -> None:
    model = MultiTaskSentenceTransformer(tiny.encoder, sample.tasks)

    def expected(seeds: int = 1, *, race: bool = False) -> float:
        attempts = plan_comparison(sample, TrainConfig(), ["freeze-encoder", "top-k", "gradual", "train-all"], seeds)
        return expected_comparison_seconds(model, sample, TrainConfig(), attempts, 0.01, race=race)

    assert LOADING_SECONDS < expected(race=True) < expected() < expected(2)


def test_the_time_left_falls_with_the_work_and_does_not_jump() -> None:
    comparison = folds_of(dict.fromkeys(COSTS, 0.7), COSTS, rounds=0, rows=200)
    comparison._started = replace(comparison.started, race=False)
    left = [remaining_seconds(comparison)]
    assert left[0] == 5 * sum(COSTS.values())
    for attempt in comparison.attempts:
        comparison.run(attempt)
        left.append(remaining_seconds(comparison))
    steps = [before - after for before, after in pairwise(left)]
    assert min(steps) >= 0
    assert left[-1] == 0


def test_the_time_left_falls_within_an_attempt() -> None:
    comparison = folds_of(dict.fromkeys(COSTS, 0.7), COSTS, rounds=0, rows=200)
    comparison._started = replace(comparison.started, race=False)
    before = remaining_seconds(comparison)
    first = comparison.attempts[2]
    comparison.extend([AttemptEpoch(first, 3, 6, {"mood": scores(0.5)}, 0.0, 50.0)])
    assert remaining_seconds(comparison) == before - 50
