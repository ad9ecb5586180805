import numpy as np
import pytest

from mtst.analysis.clustering import agglomerative_clusters, clusters, near_duplicates, similarity_order
from mtst.analysis.similarity import cosine
from tests.conftest import FOOD, SPORTS


def test_groups_of_known_directions_and_their_most_central_one():
    rows = np.array([[1, 0], [0, 1], [1, 0.1], [1, -0.2], [0.1, 1]])
    found = agglomerative_clusters(rows, 0.8)
    assert [group.members for group in found] == [(0, 2, 3), (1, 4)]
    assert found[0].centre == 0


@pytest.mark.parametrize("points", [0, 1, 2, 3, 30])
@pytest.mark.parametrize("find", [agglomerative_clusters, clusters])
def test_every_row_is_in_exactly_one_group(find, points):
    rows = np.random.default_rng(0).normal(size=(points, 5))
    found = find(rows)
    assert sorted(member for group in found for member in group.members) == list(range(points))
    assert all(group.centre in group.members for group in found)
    sizes = [len(group.members) for group in found]
    assert sizes == sorted(sizes, reverse=True)


def test_the_threshold_decides_how_much_is_merged():
    rows = np.random.default_rng(0).normal(size=(20, 5))
    assert len(agglomerative_clusters(rows, 1.0)) == 20
    assert len(agglomerative_clusters(rows, -1.0)) == 1
    assert len(agglomerative_clusters(np.vstack([rows, rows]), 1.0)) == 20  # copies belong together at any threshold


def test_rows_of_zeros_and_copies_are_grouped_too():
    rows = np.vstack([np.zeros((2, 4)), np.ones((3, 4))])
    assert next(group.members for group in agglomerative_clusters(rows, 0.9)) == (2, 3, 4)
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


def test_similar_rows_come_side_by_side():
    angles = np.array([0.0, 2.0, 0.2, 2.2, 0.1, 2.1])
    order = similarity_order(cosine(np.stack([np.cos(angles), np.sin(angles)], axis=1)))
    assert sorted(order) == [*range(6)]
    assert np.abs(np.diff(angles[order])).sum() == pytest.approx(2.2)  # from one end to the other, without a way back
    for count in range(3):
        assert similarity_order(np.eye(count)) == [*range(count)]
    assert sorted(similarity_order(np.ones((4, 4)))) == [0, 1, 2, 3]
