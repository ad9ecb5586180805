import numpy as np
import pytest

from mtst.assets import SMALL_SAMPLE
from mtst.comparison.learning_curve import EmbeddedRows, learning_curve, power_law
from mtst.data.dataset import make_dataset
from mtst.data.table import read_table


@pytest.fixture(scope="module")
def rows(encoder):
    data = make_dataset(read_table(SMALL_SAMPLE), "text", ["topic", "sentiment"])
    train, test = data.take(range(120)), data.take(range(120, 220))
    return EmbeddedRows(train, encoder.encode(train.texts), test, encoder.encode(test.texts))


@pytest.fixture(scope="module")
def curve(rows):
    return learning_curve([rows])


def test_more_rows_score_higher_and_it_leads_on(curve):
    found = curve
    assert found.rows[0] == 16
    assert found.rows[-1] == 120
    assert [len(scores) for scores in found.scores] == [5] * (len(found.rows) - 1) + [1]
    assert np.mean(found.scores[-1]) > np.mean(found.scores[0])


def test_the_same_rows_give_the_same_curve(rows, curve):
    again = learning_curve([rows])
    assert (again.rows, again.scores, again.projected) == (curve.rows, curve.scores, curve.projected)


def test_a_power_law_is_followed_beyond_the_rows(sample, encoder):
    train = sample.take(np.arange(600) % 60)
    noise = np.random.default_rng(0).normal(0, 0.6, (600, encoder.dimension)).astype(np.float32)
    embeddings = encoder.encode(train.texts) + noise
    test = train.take(range(0, 600, 5))
    found = learning_curve([EmbeddedRows(train, embeddings, test, embeddings[::5] + noise[1:121])])
    (first, (low, middle, high)), *_ = found.projected.items()
    assert first == 1200
    assert low <= middle <= high <= 1
    assert middle >= found.scores[-1][0] - 0.05


def test_too_few_rows_lead_nowhere(sample, encoder):
    train = sample.take(range(20))
    embeddings = encoder.encode(train.texts)
    assert learning_curve([EmbeddedRows(train, embeddings, train, embeddings)]).projected == {}


def test_each_fold_gives_a_score(rows):
    other = EmbeddedRows(rows.train.take(range(100)), rows.train_embeddings[:100], rows.test, rows.test_embeddings)
    found = learning_curve([rows, other])
    assert found.rows[-1] == 100
    assert [len(scores) for scores in found.scores] == [4] * (len(found.rows) - 1) + [2]


def test_the_law_rises_to_its_limit():
    values = power_law(np.array([10, 100, 1000]), 0.9, 1.0, 0.5)
    assert values == pytest.approx([0.9 - 10**-0.5, 0.8, 0.9 - 1000**-0.5])
