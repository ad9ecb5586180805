import numpy as np
import pytest

from mtst.analysis.clustering import clusters, connected_groups, near_duplicates
from mtst.analysis.projection import Plane, measure_projection, project
from tests.conftest import FOOD, SPORTS


def test_groups_of_known_directions_and_their_most_central_one():
    rows = np.array([[1, 0], [0, 1], [1, 0.1], [1, -0.2], [0.1, 1]])
    found = connected_groups(rows, 0.8)
    assert [group.members for group in found] == [(0, 2, 3), (1, 4)]
    assert found[0].centre == 0


@pytest.mark.parametrize("points", [0, 1, 2, 3, 30])
@pytest.mark.parametrize("find", [connected_groups, clusters])
def test_every_row_is_in_exactly_one_group(find, points):
    rows = np.random.default_rng(0).normal(size=(points, 5))
    found = find(rows)
    assert sorted(member for group in found for member in group.members) == list(range(points))
    assert all(group.centre in group.members for group in found)
    sizes = [len(group.members) for group in found]
    assert sizes == sorted(sizes, reverse=True)


def test_the_threshold_decides_how_much_is_merged():
    rows = np.random.default_rng(0).normal(size=(20, 5))
    assert len(connected_groups(rows, 1.0)) == 20
    assert len(connected_groups(rows, -1.0)) == 1
    assert len(connected_groups(np.vstack([rows, rows]), 1.0)) == 20  # copies belong together at any threshold


def test_rows_of_zeros_and_copies_are_grouped_too():
    rows = np.vstack([np.zeros((2, 4)), np.ones((3, 4))])
    assert next(group.members for group in connected_groups(rows, 0.9)) == (2, 3, 4)
    assert [group.members for group in clusters(rows)] == [(2, 3, 4), (0, 1)]
    assert len(clusters(np.ones((5, 3)))) == 1


def test_sentences_about_two_things_make_two_clusters(encoder):
    found = clusters(encoder.encode([*SPORTS, *FOOD]), 2)
    foods = sorted(sum(member >= len(SPORTS) for member in group.members) / len(group.members) for group in found)
    assert foods[0] < 0.2
    assert foods[1] >= 0.75


def test_clusters_are_the_same_each_time():
    rows = np.random.default_rng(0).normal(size=(300, 12))
    assert clusters(rows) == clusters(rows)


def test_near_duplicates_are_pairs_above_the_threshold(encoder):
    texts = ["The flight was late.", "A dog barks.", "The flight was late!", "the flight was very late"]
    found = near_duplicates(encoder.encode(texts), 0.9)
    assert {pair[:2] for pair in found} == {(0, 2), (0, 3), (2, 3)}
    assert [value for *_, value in found] == sorted((value for *_, value in found), reverse=True)
    assert near_duplicates(encoder.encode(texts), 1.1) == []


def test_a_plane_that_keeps_everything_is_faithful_and_a_random_one_is_not():
    flat = np.random.default_rng(0).normal(size=(400, 2))
    rows = np.hstack([flat / np.linalg.norm(flat, axis=1, keepdims=True), np.zeros((400, 3))])
    true = measure_projection(rows, Plane(rows[:, :2], ("x", "y")))
    assert true.trust > 0.999
    assert true.kept > 0.99
    false = measure_projection(rows, Plane(np.random.default_rng(1).normal(size=(400, 2)), ("x", "y")))
    assert 0.4 < false.trust < 0.6
    assert false.kept < 0.1


@pytest.mark.parametrize("points", range(8))
def test_few_points_have_a_measure_or_none(points):
    rows = np.random.default_rng(0).normal(size=(points, 3))
    found = measure_projection(rows, project(rows))
    assert (found is None) == (points < 5)
    assert found is None or (0 <= found.kept <= 1 and found.neighbours < points / 2)


def test_many_points_are_checked_on_a_sample_that_stays_the_same():
    rows = np.random.default_rng(0).normal(size=(2_500, 8))
    plane = project(rows)
    first, second = measure_projection(rows, plane), measure_projection(rows, plane)
    assert first == second
    assert first.points == 1_500
