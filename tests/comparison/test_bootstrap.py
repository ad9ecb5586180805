import numpy as np
import pytest
from sklearn.metrics import f1_score

from mtst.comparison.bootstrap import (
    DRAWS,
    FOLD_WIDENING,
    Prediction,
    bootstrap_draws,
    interval,
    macro_f1_by_task,
    macro_f1_draws,
    widen,
)
from mtst.data.tasks import Task

TASKS = Task("a", ("x", "y", "z")), Task("b", ("no", "yes"))


@pytest.fixture
def answers():
    dice = np.random.default_rng(1)
    truth = {"a": dice.integers(-1, 3, 80).tolist(), "b": dice.integers(0, 2, 80).tolist()}
    predicted = [{"a": dice.integers(0, 3, 80).tolist(), "b": dice.integers(0, 2, 80).tolist()} for _ in range(2)]
    return truth, predicted


def test_the_first_draw_is_the_score_itself(answers):
    truth, predicted = answers
    known = [label >= 0 for label in truth["a"]]
    expected = []
    for each in predicted:
        a = f1_score(np.array(truth["a"])[known], np.array(each["a"])[known], average="macro")
        expected.append((a + f1_score(truth["b"], each["b"], average="macro")) / 2)
    predictions = [Prediction(each) for each in predicted]
    assert macro_f1_draws(TASKS, truth, predictions, *bootstrap_draws(80, 2))[0] == pytest.approx(np.mean(expected))
    means = [np.mean(list(macro_f1_by_task(TASKS, truth, each).values())) for each in predictions]
    assert means == pytest.approx(expected)


def test_every_draw_is_the_score_of_the_rows_drawn(answers):
    truth, predicted = answers
    counts, seeds = bootstrap_draws(80, 1)
    drawn = macro_f1_draws(TASKS, truth, [Prediction({"b": predicted[0]["b"]})], counts, seeds)
    for draw in (1, 7, DRAWS - 1):
        rows = np.repeat(np.arange(80), counts[draw].astype(int))
        there, said = np.array(truth["b"])[rows], np.array(predicted[0]["b"])[rows]
        assert drawn[draw] == pytest.approx(f1_score(there, said, average="macro"))


def test_draws_are_the_same_for_the_same_rows_and_spread_less_with_more_of_them(answers):
    few, many = bootstrap_draws(20, 1)[0], bootstrap_draws(2000, 1)[0]
    assert (few == bootstrap_draws(20, 1)[0]).all()
    assert (few.sum(axis=1) == 20).all()

    def width(counts):
        rows = counts.shape[1]
        truth, said = {"a": [0, 1] * (rows // 2)}, {"a": [0, 1, 1, 1] * (rows // 4)}
        low, high = interval(macro_f1_draws(TASKS, truth, [Prediction(said)], counts, np.ones((DRAWS, 1))))
        return high - low

    assert width(many) < width(few) / 5


def test_rows_that_were_not_predicted_do_not_count(answers):
    truth, predicted = answers
    rows = list(range(20, 60))
    part = Prediction({"b": predicted[0]["b"][20:60]}, rows)
    counts, seeds = bootstrap_draws(80, 1)
    expected = f1_score(truth["b"][20:60], predicted[0]["b"][20:60], average="macro")
    assert macro_f1_draws(TASKS, truth, [part], counts, seeds)[0] == pytest.approx(expected)
    assert macro_f1_by_task(TASKS, truth, part) == {"b": pytest.approx(expected)}


def test_bounds_are_wider_in_cross_validation_around_the_same_difference():
    values = np.array([0.1, 0.0, 0.3])
    assert (widen(values, 1) == values).all()
    assert widen(values, 5) == pytest.approx([0.1, 0.1 - 0.1 * FOLD_WIDENING, 0.1 + 0.2 * FOLD_WIDENING])
