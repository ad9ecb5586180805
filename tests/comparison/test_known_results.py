import pytest

from mtst.comparison.known_results import (
    FACTOR,
    MIN_SETS,
    REFERENCE,
    Expectation,
    describe_expectation,
    expect,
    known_results,
)
from mtst.training.scenarios import FIXED


def test_every_known_result_is_a_score_of_a_scenario():
    keys = {scenario.key for scenario in FIXED}
    results = known_results()
    assert len(results) >= 80
    assert {result.scenario for result in results} <= keys
    assert all(0 < result.score < 1 and 2 <= result.labels <= result.rows for result in results)
    cells = [(result.source, result.rows, result.scenario) for result in results]
    assert len(set(cells)) == len(cells)


def test_an_expectation_comes_from_sets_with_about_as_many_rows_per_label():
    expected = expect(300, 6)
    assert expected is not None
    similar = {
        (result.source, result.rows)
        for result in known_results()
        if 50 / FACTOR <= result.rows / result.labels <= 50 * FACTOR and result.scenario == "train-all"
    }
    assert expected.results == len(similar) >= MIN_SETS
    assert expected.gains[REFERENCE] == 0
    gains = [score_of("train-all", *cell) - score_of(REFERENCE, *cell) for cell in similar]
    assert expected.gains["train-all"] == pytest.approx(sum(gains) / len(gains))


def score_of(scenario: str, source: str, rows: int) -> float:
    return next(r.score for r in known_results() if (r.scenario, r.source, r.rows) == (scenario, source, rows))


def test_a_set_does_not_judge_itself():
    everything, others = expect(300, 6), expect(300, 6, without="emotion")
    assert everything is not None
    assert others is not None
    assert others.results < everything.results


@pytest.mark.parametrize(("rows", "labels"), [(10**6, 2), (3, 3)])
def test_nothing_is_expected_where_nothing_is_known(rows, labels):
    assert expect(rows, labels) is None


def test_an_expectation_is_described_in_words():
    sets = [{REFERENCE: 0.5, "top-k": 0.55, "train-all": 0.5 + gain} for gain in (-0.01, 0.07, 0.11, 0.15)]
    expected = Expectation(25.0, (*sets,))
    words = describe_expectation(expected)
    assert "4 tests on public data with about 25 rows per label" in words
    assert "“Train everything” scored highest on average: 8 points more" in words
    assert "+5 points" in words
    assert "(better in 3 of 4)" in words
    level = Expectation(25.0, ({REFERENCE: 0.5, "top-k": 0.505},) * 4)
    assert "no scenario was clearly better" in describe_expectation(level)


def test_a_scenario_counts_if_it_was_measured_in_most_of_the_results():
    sets = ({REFERENCE: 0.5, "lora": 0.6, "top-k": 0.7},) * 3
    assert Expectation(25.0, (*sets, {REFERENCE: 0.5})).gains.keys() == {REFERENCE, "lora", "top-k"}
    assert Expectation(25.0, (*sets, {REFERENCE: 0.5}, {REFERENCE: 0.5, "top-k": 0.7})).gains == pytest.approx(
        {REFERENCE: 0.0, "top-k": 0.2}
    )
