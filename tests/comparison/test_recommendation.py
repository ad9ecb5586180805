"""The recommendation on constructed cases."""

import re
from dataclasses import replace

import pytest

from mtst.comparison.description import describe
from mtst.comparison.difference import MIN_GAIN
from mtst.comparison.events import Attempt
from mtst.comparison.recommendation import recommend
from tests.support.fake_comparison import TASK, comparison_of, scores

CHEAP, DEAR, DEARER = "freeze-encoder", "train-all", "few-examples"


def words(advice):
    return " ".join(describe(advice, [TASK]))


def test_the_cheapest_is_taken_where_nothing_gains():
    advice = recommend(comparison_of({CHEAP: ([0.9], 2.0), DEAR: ([0.904], 76.0)}, rows=4000))
    assert advice.chosen.scenario == CHEAP
    assert advice.enough
    assert words(advice).startswith("Take “Heads only”. “Train everything” scored 0.4 points more (")
    assert "which may be chance, and took 38 times as long." in words(advice)


def test_a_gain_that_is_shown_is_worth_its_cost():
    advice = recommend(comparison_of({CHEAP: ([0.7], 2.0), DEAR: ([0.8], 20.0)}, rows=1000))
    assert advice.chosen.scenario == DEAR
    assert "It scored 10.0 points more (" in words(advice)
    assert "than “Heads only”, the best that is cheaper, and took 10 times as long." in words(advice)


def test_a_gain_that_is_shown_but_small_is_not_worth_it():
    advice = recommend(comparison_of({CHEAP: ([0.99], 2.0), DEAR: ([0.998], 20.0)}, rows=20_000))
    assert advice.chosen.scenario == CHEAP
    assert "too little to matter" in words(advice)


def test_with_few_rows_it_says_that_they_do_not_suffice():
    advice = recommend(comparison_of({CHEAP: ([0.8], 2.0), DEAR: ([0.85], 20.0)}, rows=40))
    assert (advice.cheapest.scenario, advice.chosen.scenario) == (CHEAP, DEAR)
    assert not advice.enough
    assert words(advice).startswith("Not enough data to tell. “Train everything” scored 5.1 points more")
    assert "with 40 test rows" in words(advice)
    assert re.search(
        r"With \d+ results on public data .* the best guess is “Train everything”: \d+ points more", words(advice)
    )


def test_without_public_results_the_cheapest_is_taken_until_there_are_more_rows():
    unknown = "freeze-all"
    advice = recommend(comparison_of({CHEAP: ([0.8], 2.0), unknown: ([0.85], 20.0)}, rows=40))
    assert advice.chosen.scenario == CHEAP
    assert "take “Heads only”, the cheapest that nothing is shown to beat." in words(advice)


def test_of_those_that_nothing_beats_the_one_with_the_highest_expected_gain_is_taken():
    shares = {CHEAP: ([0.9], 2.0), "top-k": ([0.91], 8.0), DEAR: ([0.918], 20.0)}
    advice = recommend(comparison_of(shares, rows=1000))
    assert advice.enough
    assert (advice.cheapest.scenario, advice.chosen.scenario) == (CHEAP, "top-k")
    assert advice.guess.gains[DEAR] - advice.guess.gains["top-k"] < MIN_GAIN  # for less than half the time
    assert re.search(
        r"Take “Train the top blocks”\. It scored 1\.0 points more .* These rows alone do not show this; together with "
        r"\d+ results on public data with about as many rows per label, they suggest \d\.\d points more\.",
        words(advice),
    )


def test_seeds_that_disagree_widen_the_bounds():
    steady = recommend(comparison_of({CHEAP: ([0.8] * 3, 2.0), DEAR: ([0.84] * 3, 20.0)}, rows=2000))
    wild = recommend(comparison_of({CHEAP: ([0.8] * 3, 2.0), DEAR: ([0.70, 0.84, 0.98], 20.0)}, rows=2000))
    assert steady.chosen.scenario == DEAR
    assert wild.cheapest.scenario == CHEAP
    assert not wild.enough


def test_of_several_dearer_ones_the_cheapest_that_nothing_beats_is_taken():
    advice = recommend(comparison_of({CHEAP: ([0.7], 2.0), DEAR: ([0.8], 20.0), DEARER: ([0.801], 60.0)}, rows=4000))
    assert advice.chosen.scenario == DEAR
    assert [each.scenario for each in advice.dearer] == [DEARER]
    assert [each.than for each in advice.cheaper] == [CHEAP]


def test_what_is_dearer_and_worse_is_said_to_be_so():
    advice = recommend(comparison_of({CHEAP: ([0.8], 2.0), DEAR: ([0.7], 20.0)}, rows=1000))
    assert words(advice) == "Take “Heads only”. Nothing that costs more scored higher."


def test_guessing_is_called_guessing():
    advice = recommend(comparison_of({CHEAP: ([0.3], 2.0), DEAR: ([0.31], 20.0)}, rows=1000))
    assert advice.useless
    assert words(advice).startswith("None of these is shown to be better than always answering with the most frequent")


@pytest.mark.parametrize(("share", "said"), [(0.84, True), (0.805, False), (0.7, False)])
def test_a_regression_that_beats_every_scenario_is_not_kept_silent(share, said):
    comparison = comparison_of({CHEAP: ([0.7], 2.0), DEAR: ([0.8], 20.0)}, rows=1000)
    comparison.extend([replace(comparison.started, logistic={"mood": scores(share)})])
    told = words(recommend(comparison))
    assert ("regression on the frozen embeddings scored 4.0 points more than the best of these" in told) == said
    assert ("regression" in told) == said


def test_a_regression_of_other_tasks_is_not_compared():
    comparison = comparison_of({CHEAP: ([0.7], 2.0), DEAR: ([0.8], 20.0)}, rows=1000)
    comparison.extend([replace(comparison.started, logistic={})])
    assert recommend(comparison).regression == 0


def test_chance_alone_seldom_makes_a_dearer_scenario_win():
    keys = (CHEAP, "top-k", "gradual", DEAR, "discriminative", DEARER)
    told = {key: ([0.75], 2.0 * (1 + number)) for number, key in enumerate(keys)}
    taken = [recommend(comparison_of(told, rows=300, seed=seed)).cheapest.scenario for seed in range(20)]
    assert taken.count(CHEAP) >= 18


def test_it_is_worked_out_once_for_each_attempt_that_ends():
    comparison = comparison_of({CHEAP: ([0.7], 1.0), DEAR: ([0.9], 2.0)})
    first = recommend(comparison)
    assert recommend(comparison) is first
    comparison.extend([replace(comparison.ended[-1], attempt=Attempt("top-k", 0), seconds=1.5)])
    assert [row.scenario for row in recommend(comparison).rows] == [CHEAP, DEAR]  # one that nobody asked for is no row
    assert recommend(comparison) is not first


@pytest.mark.parametrize("told", [{}, {CHEAP: ([0.8], 1.0)}])
def test_there_is_no_recommendation_before_two_have_ended(told):
    assert recommend(comparison_of(told)) is None
