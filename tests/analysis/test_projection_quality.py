import numpy as np
import pytest

from mtst.analysis.projection import Projection, project
from mtst.analysis.projection_quality import measure_projection


def test_a_plane_that_keeps_everything_is_faithful_and_a_random_one_is_not():
    flat = np.random.default_rng(0).normal(size=(400, 2))
    rows = np.hstack([flat / np.linalg.norm(flat, axis=1, keepdims=True), np.zeros((400, 3))])
    true = measure_projection(rows, Projection(rows[:, :2], ("x", "y")))
    assert true.trustworthiness > 0.999
    assert true.neighbour_recall > 0.99
    false = measure_projection(rows, Projection(np.random.default_rng(1).normal(size=(400, 2)), ("x", "y")))
    assert 0.4 < false.trustworthiness < 0.6
    assert false.neighbour_recall < 0.1


@pytest.mark.parametrize("points", [0, 1, 4, 5, 7])
def test_few_points_have_a_measure_or_none(points):
    rows = np.random.default_rng(0).normal(size=(points, 3))
    found = measure_projection(rows, project(rows))
    assert (found is None) == (points < 5)
    assert found is None or (0 <= found.neighbour_recall <= 1 and found.neighbours < points / 2)


def test_many_points_are_checked_on_a_sample_that_stays_the_same():
    rows = np.random.default_rng(0).normal(size=(2_500, 8))
    plane = project(rows)
    first, second = measure_projection(rows, plane), measure_projection(rows, plane)
    assert first == second
    assert first.points == 1_500
