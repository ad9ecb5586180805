import numpy as np
import pytest
from sklearn.metrics import f1_score

from mtst.comparison.bootstrap import DRAWS, bootstrap_draws, interval, macro_f1_draws


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
    assert macro_f1_draws(truth, predicted, *bootstrap_draws(80, 2))[0] == pytest.approx(np.mean(expected))


def test_every_draw_is_the_score_of_the_rows_drawn(answers):
    truth, predicted = answers
    counts, seeds = bootstrap_draws(80, 1)
    drawn = macro_f1_draws(truth, [{"b": predicted[0]["b"]}], counts, seeds)
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
        low, high = interval(macro_f1_draws(truth, [said], counts, np.ones((DRAWS, 1))))
        return high - low

    assert width(many) < width(few) / 5
