import time

import numpy as np
import pytest

from mtst.analysis.similarity import (
    changed_pairs,
    cosine,
    extreme_pairs,
    nearest_neighbours,
    normalize_rows,
    rank_by_cosine,
    search,
    unique_sentences,
)

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
    places, cosines = zip(*rank_by_cosine(np.array([1.0, 0.1], dtype=np.float32), PLANE), strict=True)
    assert places == (0, 3, 1, 2)
    assert list(cosines) == sorted(cosines, reverse=True)


def test_distinct_sentences_keep_their_order_without_blanks():
    assert unique_sentences([" b ", "", "a", "b", "  ", "A"]) == ["b", "a", "A"]


@pytest.mark.parametrize("count", [0, 1, 7, 20, 99])
def test_a_search_finds_what_ranking_everything_puts_first(count):
    rows = np.random.default_rng(1).normal(size=(40, 8)).astype(np.float32)
    assert search(rows[3], normalize_rows(rows), count) == rank_by_cosine(rows[3], rows)[:count]
    assert rank_by_cosine(rows[3], rows)[0] == (3, pytest.approx(1, abs=1e-6))


def test_equally_near_rows_are_listed_in_order():
    assert [place for place, _ in search(np.array([1.0, 0.0]), np.tile([1.0, 0.0], (9, 1)), 4)] == [0, 1, 2, 3]


def test_a_search_among_fifty_thousand_sentences_is_done_at_once():
    rows = normalize_rows(np.random.default_rng(0).normal(size=(50_000, 384)).astype(np.float32))
    search(rows[0], rows)
    start = time.thread_time()
    found = search(rows[31_415], rows)
    assert time.thread_time() - start < 0.2
    assert found[0][0] == 31_415
    assert len(found) == 20


@pytest.mark.parametrize("points", [1, 5, 1_001])
def test_neighbours_are_those_of_the_whole_matrix(points):
    rows = np.random.default_rng(points).normal(size=(points, 6))
    places, cosines = nearest_neighbours(rows, min(5, points))
    assert places[:, 0].tolist() == list(range(points))
    np.testing.assert_allclose(cosines, -np.sort(-cosine(rows), axis=1)[:, :5], atol=1e-9)
    np.testing.assert_allclose(np.take_along_axis(cosine(rows), places, axis=1), cosines, atol=1e-9)


def test_a_row_is_its_own_nearest_neighbour_among_copies():
    assert nearest_neighbours(np.ones((30, 4)), 3)[0][:, 0].tolist() == list(range(30))


def test_the_pairs_that_changed_most_come_first_with_the_direction_of_the_change():
    before, after = np.eye(3), np.eye(3)
    after[0, 2] = after[2, 0] = -0.5
    after[1, 2] = after[2, 1] = 0.2
    assert changed_pairs(before, after, 2) == [(0, 2, -0.5), (1, 2, 0.2)]
