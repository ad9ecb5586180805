"""Which scenarios are stopped early."""

import pytest

from mtst.comparison.events import Attempt, AttemptEpoch
from mtst.comparison.known_results import Expectation
from mtst.comparison.race import BUDGET, Costs, behind_in_epochs, behind_in_rounds, order_of_turns
from tests.support.fake_comparison import folds_of, scores

FREE = "freeze-encoder"
TOP, GRADUAL, ALL = "unknown top", "unknown gradual", "unknown all"  # no public set has a result of these
COSTS = {FREE: 1.0, TOP: 30.0, GRADUAL: 60.0, ALL: 100.0}
KNOWN_COSTS = {FREE: 1.0, "top-k": 30.0, "gradual": 60.0, "train-all": 100.0}


def epoch(scenario, number, share, epochs=6, **attempt):
    return AttemptEpoch(Attempt(scenario, 0, **attempt), number, epochs, {"mood": scores(share)}, 0.0, 1.0)


def dropped(comparison):
    return {one.scenario: one.reason for one in behind_in_rounds(comparison)}


def test_what_is_worse_than_chance_allows_is_stopped_after_a_round():
    comparison = folds_of({FREE: 0.6, TOP: 0.9, GRADUAL: 0.5}, COSTS, rounds=1, rows=400)
    assert dropped(comparison) == {GRADUAL: "worse"}
    (found,) = behind_in_rounds(comparison)
    assert (found.leader, found.rounds, found.epoch) == (TOP, 1, None)
    assert found.score < found.leader_score


def test_what_costs_next_to_nothing_is_never_stopped():
    assert dropped(folds_of({FREE: 0.1, TOP: 0.9}, COSTS, rounds=1, rows=400)) == {}


def test_what_there_is_no_time_for_is_stopped_from_the_lowest_score_upwards():
    close = {FREE: 0.85, TOP: 0.8, GRADUAL: 0.9, ALL: 0.88}
    comparison = folds_of(close, COSTS, rounds=1, rows=60)
    costs = Costs(comparison)
    assert costs.budget == pytest.approx(BUDGET * 5 * 100)
    assert costs.spent == pytest.approx(191)
    assert dropped(comparison) == {ALL: "budget"}  # 459 left; 161 for the next round and 3 * 101 after it
    comparison = folds_of(close | {ALL: 0.95, TOP: 0.9}, COSTS, rounds=2, rows=100)
    assert Costs(comparison).budget - Costs(comparison).spent == pytest.approx(268)
    assert dropped(comparison) == {GRADUAL: "budget", TOP: "budget"}  # 131 and 2 * 101 would not fit
    comparison = folds_of(close | {ALL: 0.95, TOP: 0.9}, COSTS | {TOP: 11.0, GRADUAL: 50.0}, rounds=2, rows=100)
    assert dropped(comparison) == {GRADUAL: "budget"}


def test_of_equals_the_cheapest_has_time_to_the_end():
    same = {FREE: 0.85, TOP: 0.9, GRADUAL: 0.9, ALL: 0.9}
    assert TOP not in dropped(folds_of(same, COSTS, rounds=2, rows=60))


def test_the_whole_stays_within_the_budget_whoever_leads():
    for leader in (TOP, GRADUAL, ALL):
        comparison = folds_of({FREE: 0.85} | {key: 0.8 for key in COSTS if key != FREE} | {leader: 0.9}, COSTS, 1, 60)
        while comparison.current:
            comparison.extend(behind_in_rounds(comparison))
            comparison.run(comparison.current)
        costs = Costs(comparison)
        assert costs.spent <= costs.budget
        assert leader not in comparison.dropped


def test_nothing_is_stopped_in_the_middle_of_a_round():
    comparison = folds_of({FREE: 0.6, TOP: 0.9, GRADUAL: 0.3}, COSTS, rounds=1, rows=400)
    comparison.run(comparison.current)
    assert behind_in_rounds(comparison) == []


def first_round(shares, epoch, folds=1, rows=60, costs=COSTS):
    """Return a first round up to an epoch of the last scenario in `shares`, and what is stopped there."""
    *before, _ = shares
    comparison = folds_of(shares, costs, rounds=0, rows=rows, folds=folds)
    for key in before:
        comparison.run(Attempt(key, 0))
    comparison.extend([epoch])
    return behind_in_epochs(comparison, epoch)


def test_a_scenario_stops_after_a_third_of_its_epochs_if_there_is_no_time_and_it_is_behind():
    # 91 are spent and 33 for the look; the whole may cost 130.
    shares = {FREE: 0.6, TOP: 0.9, GRADUAL: 0.9, ALL: 0.9}
    found = first_round(shares, epoch(ALL, 2, 0.5))
    assert (found.scenario, found.leader, found.epoch, found.rounds) == (ALL, TOP, 2, 0)
    assert found.score < found.leader_score
    assert first_round(shares, epoch(ALL, 2, 0.95)) is None
    assert first_round(shares, epoch(ALL, 3, 0.5)) is None


def test_it_may_be_behind_by_chance_where_it_is_compared_with_what_others_have_reached_in_the_end():
    shares = {FREE: 0.6, TOP: 0.9, GRADUAL: 0.9, ALL: 0.9}
    assert first_round(shares, epoch(ALL, 2, 0.88)) is None


def test_where_there_is_time_for_the_rest_no_epoch_is_looked_at():
    shares = {FREE: 0.6, TOP: 0.9, GRADUAL: 0.9, ALL: 0.9}
    assert first_round(shares, epoch(ALL, 2, 0.1), folds=5) is None  # 191 and 4 * 101 of 650


def test_a_scenario_whose_tasks_are_trained_alone_runs_to_the_end():
    comparison = folds_of({FREE: 0.6, TOP: 0.9, GRADUAL: 0.3}, COSTS, rounds=1, rows=400, alone=GRADUAL)
    assert GRADUAL not in dropped(comparison)


def test_public_sets_join_what_a_few_validation_rows_say():
    shares = {FREE: 0.6, "top-k": 0.9, "gradual": 0.9, "train-all": 0.9}
    behind = epoch("train-all", 2, 0.8)
    assert first_round(shares, behind, costs=KNOWN_COSTS) is None
    unknown = {FREE: 0.6, TOP: 0.9, GRADUAL: 0.9, ALL: 0.9}
    assert first_round(unknown, epoch(ALL, 2, 0.8)) is not None
    far_behind = epoch("train-all", 2, 0.1)
    assert first_round(shares, far_behind, costs=KNOWN_COSTS).scenario == "train-all"


def test_public_sets_join_what_a_round_says():
    shares = {FREE: 0.8, "top-k": 0.95, "gradual": 0.9, "train-all": 0.9}
    comparison = folds_of(shares, KNOWN_COSTS, rounds=2, rows=120)
    stopped = behind_in_rounds(comparison)
    assert {one.scenario for one in stopped} == {"top-k", "gradual"}
    assert all((one.leader, one.reason) == ("train-all", "budget") for one in stopped)
    assert max(one.score - one.leader_score for one in stopped) > 0.03  # so far


def test_of_what_costs_much_the_one_takes_the_first_turn_that_is_expected_to_gain_most():
    costs = {"train-all": 100.0, "top-k": 30.0, ALL: 90.0, "gradual": 60.0, FREE: 1.0, "freeze-all": 0.0}
    sets = [{FREE: 0.5, "top-k": 0.55, "gradual": 0.57, "train-all": 0.6}] * 3
    assert order_of_turns(costs, Expectation(25.0, (*sets,))) == [
        "freeze-all", FREE, "train-all", "gradual", "top-k", ALL,
    ]  # fmt: skip
    assert order_of_turns(costs, None) == ["freeze-all", FREE, "top-k", "gradual", ALL, "train-all"]
