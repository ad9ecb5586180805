"""Where the rows cannot tell, public results join them."""

import numpy as np
import pytest

from mtst.comparison.best_guess import guess_best
from mtst.comparison.difference import Draws
from mtst.comparison.known_results import REFERENCE, Expectation
from tests.support.fake_comparison import comparison_of

TOP, ALL = "top-k", "train-all"


def guess(shares, gains, rows, *, spread=0.05, candidates=None, factor=2.0):
    """The guess for scenarios with given shares of right answers and public gains, each `factor` times as dear."""
    comparison = comparison_of({key: ([share], factor**n) for n, (key, share) in enumerate(shares.items())}, rows=rows)
    results = sorted(comparison.results, key=lambda row: row.seconds)
    deviations = [(-1) ** n * spread for n in range(8)] + [0.0]
    sets = [
        {key: 0.5 + (gain + deviation if key != REFERENCE else 0.0) for key, gain in gains.items()}
        for deviation in deviations
    ]
    expected = Expectation(20.0, tuple(sets))
    chosen = [row for row in results if candidates is None or row.scenario in candidates]
    return guess_best(results, chosen, Draws(comparison), expected)


KNOWN = {REFERENCE: 0.0, TOP: 0.06, ALL: 0.10}


def test_with_few_rows_the_public_results_decide():
    best = guess({REFERENCE: 0.75, TOP: 0.7, ALL: 0.75}, KNOWN, rows=40)
    assert (best.scenario, best.results) == (ALL, 9)
    assert 0 < best.gain < KNOWN[ALL]


def test_with_many_rows_the_rows_decide():
    best = guess({REFERENCE: 0.9, TOP: 0.8, ALL: 0.85}, KNOWN, rows=4000)
    assert best.scenario == REFERENCE
    assert best.gain == 0


def test_results_that_agree_on_all_sets_weigh_more_than_those_that_do_not():
    certain, uncertain = (guess({REFERENCE: 0.8, ALL: 0.75}, KNOWN, rows=100, spread=spread) for spread in (0.02, 0.5))
    assert certain.scenario == ALL
    assert uncertain.scenario == REFERENCE


@pytest.mark.parametrize(("factor", "scenario"), [(2.0, TOP), (1.9, ALL)])
def test_of_about_equal_ones_one_is_taken_that_costs_half(factor, scenario):
    shares, gains = {REFERENCE: 0.7, TOP: 0.8, ALL: 0.8}, {REFERENCE: 0.0, TOP: 0.1, ALL: 0.101}
    assert guess(shares, gains, rows=40, spread=0.001, factor=factor).scenario == scenario


def test_what_was_ruled_out_by_the_rows_is_not_taken():
    best = guess(
        {REFERENCE: 0.7, TOP: 0.7, ALL: 0.7}, {REFERENCE: 0.1, TOP: 0.06, ALL: 0.04}, 40, candidates={TOP, ALL}
    )
    assert best.scenario == TOP


@pytest.mark.parametrize(
    ("shares", "gains"),
    [({TOP: 0.7, ALL: 0.8}, KNOWN), ({"lora": 0.7, REFERENCE: 0.8}, {REFERENCE: 0.0})],
)
def test_without_a_known_pair_nothing_is_guessed(shares, gains):
    assert guess(shares, gains, rows=40, candidates={TOP, ALL, "lora"}) is None


def test_the_gain_lies_between_the_measured_and_the_public_one():
    shares = {REFERENCE: 0.70, ALL: 0.90}
    best = guess(shares, {REFERENCE: 0.0, ALL: 0.05}, rows=60)
    assert 0.05 < best.gain < 0.3
    assert np.isfinite(best.gain)
