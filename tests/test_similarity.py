import numpy as np
import pytest

from mtst.similarity import cosine, distinct, extreme_pairs, rank

PLANE = np.array([[1.0, 0.0], [0.0, 2.0], [-3.0, 0.0], [1.0, 1.0]], dtype=np.float32)


def test_cosines_of_known_vectors():
    half = np.sqrt(0.5)
    expected = [[1, 0, -1, half], [0, 1, 0, half], [-1, 0, 1, -half], [half, half, -half, 1]]
    np.testing.assert_allclose(cosine(PLANE), expected, atol=1e-6)


def test_cosines_between_two_sets_have_a_row_for_each_of_the_first():
    np.testing.assert_allclose(cosine(PLANE[:1], PLANE[1:3]), [[0, -1]], atol=1e-6)


def test_a_zero_vector_is_like_nothing():
    assert cosine(np.array([[0.0, 0.0], [1.0, 0.0]])).tolist() == [[0, 0], [0, 1]]


def test_rounding_never_leaves_the_range():
    rows = np.random.default_rng(0).normal(size=(50, 384)).astype(np.float32)
    cosines = cosine(np.vstack([rows, rows * 7]))
    assert cosines.max() <= 1
    assert cosines.min() >= -1


def test_no_sentences_have_no_cosines():
    assert cosine(np.empty((0, 3))).shape == (0, 0)


@pytest.mark.parametrize("points", [0, 1, 2, 3, 4, 5, 9])
@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_extreme_pairs_are_apart_and_in_order(points, count):
    cosines = cosine(np.random.default_rng(points).normal(size=(points, 4)))
    near, far = extreme_pairs(cosines, count)
    pairs = points * (points - 1) // 2
    assert len(near) == min(count, (pairs + 1) // 2)
    assert len(far) == min(count, pairs - len(near))
    assert not {pair[:2] for pair in near} & {pair[:2] for pair in far}
    assert [pair[2] for pair in near] == sorted((pair[2] for pair in near), reverse=True)
    assert [pair[2] for pair in far] == sorted(pair[2] for pair in far)
    assert all(i < j and value == cosines[i, j] for i, j, value in near + far)


def test_extreme_pairs_of_known_vectors():
    near, far = extreme_pairs(cosine(PLANE), 1)
    assert near[0][:2] in {(0, 3), (1, 3)}
    assert far[0][:2] == (0, 2)


def test_ranking_puts_the_nearest_first():
    places, cosines = zip(*rank(np.array([1.0, 0.1], dtype=np.float32), PLANE), strict=True)
    assert places == (0, 3, 1, 2)
    assert list(cosines) == sorted(cosines, reverse=True)


def test_distinct_sentences_keep_their_order_without_blanks():
    assert distinct([" b ", "", "a", "b", "  ", "A"]) == ["b", "a", "A"]
