import hashlib
import subprocess
import sys

import numpy as np
import pytest

from mtst.analysis.projection import METHODS, project, project_new

# In a new environment UMAP is compiled first, which takes most of a minute.
EVERY_METHOD = pytest.mark.parametrize(
    "method", [pytest.param(method, marks=pytest.mark.slow if method == "UMAP" else ()) for method in METHODS]
)


def cloud(points):
    return np.random.default_rng(3).normal(size=(points, 16)).astype(np.float32)


@EVERY_METHOD
@pytest.mark.parametrize("points", [0, 1, 3, 12])
def test_any_number_of_points_gets_a_place_each(method, points):
    plane = project(cloud(points), method)
    assert plane.points.shape == (points, 2)
    assert np.isfinite(plane.points).all()
    assert all(plane.axes)


@EVERY_METHOD
def test_points_that_coincide_lie_at_the_origin(method):
    assert not project(np.tile(cloud(1), (5, 1)), method).points.any()


@EVERY_METHOD
def test_the_same_input_gives_the_same_picture(method):
    np.testing.assert_array_equal(project(cloud(12), method).points, project(cloud(12), method).points)


@EVERY_METHOD
def test_two_clusters_stay_apart(method):
    near, far = cloud(6) * 0.01 + np.eye(16)[0], cloud(6) * 0.01 + np.eye(16)[1]
    points = project(np.vstack([near, far]), method).points
    gap = np.linalg.norm(points[:6].mean(axis=0) - points[6:].mean(axis=0))
    assert gap > 2 * max(points[:6].std(), points[6:].std())


def test_pca_names_the_share_of_the_variance_of_each_axis():
    line = np.outer(np.arange(4.0), np.ones(3))
    plane = project(line, "PCA")
    assert "100%" in plane.axes[0]
    assert "0%" in plane.axes[1]
    np.testing.assert_allclose(np.abs(np.diff(plane.points[:, 0])), np.sqrt(3), atol=1e-9)


def test_turning_the_embeddings_round_does_not_turn_the_picture():
    np.testing.assert_allclose(
        np.abs(project(cloud(8), "PCA").points), np.abs(project(-cloud(8), "PCA").points), atol=1e-6
    )
    largest = project(cloud(8), "PCA").points
    assert (largest[np.abs(largest).argmax(axis=0), [0, 1]] > 0).all()


def test_an_unknown_method_is_refused():
    with pytest.raises(KeyError, match="umap"):
        project(cloud(3), "umap")


DRAWN = """
import hashlib, numpy as np
from mtst.analysis.projection import METHODS, project
rows = np.random.default_rng(3).normal(size=(1_200, 60)).astype(np.float32)
print(*(hashlib.sha256(project(rows, method).points.tobytes()).hexdigest() for method in METHODS))
"""


@pytest.mark.slow  # compiles UMAP in a second process
def test_another_process_draws_the_same_picture_to_the_last_bit():
    digests = subprocess.run([sys.executable, "-W", "ignore", "-c", DRAWN], capture_output=True, text=True, check=True)
    rows = np.random.default_rng(3).normal(size=(1_200, 60)).astype(np.float32)
    here = [hashlib.sha256(project(rows, method).points.tobytes()).hexdigest() for method in METHODS]
    assert digests.stdout.split() == here


@EVERY_METHOD
@pytest.mark.parametrize("points", [2, 40])
def test_what_is_on_the_map_already_lands_on_itself(method, points):
    rows = cloud(points)
    plane = project(rows, method)
    for row, point in zip(rows, plane.points, strict=True):
        np.testing.assert_allclose(project_new(plane, rows, row), point, atol=1e-2 * max(1, np.abs(plane.points).max()))


@EVERY_METHOD
def test_what_is_new_lands_among_its_like(method):
    near, far = cloud(8) * 0.01 + np.eye(16)[0], cloud(8) * 0.01 + np.eye(16)[1]
    rows = np.vstack([near, far])
    plane = project(rows, method)
    place = project_new(plane, rows, np.eye(16)[1])
    ours, others = plane.points[8:].mean(axis=0), plane.points[:8].mean(axis=0)
    assert np.linalg.norm(place - ours) < np.linalg.norm(place - others)


@EVERY_METHOD
def test_copies_and_zeros_are_drawn_too(method):
    rows = np.vstack([np.tile(cloud(1), (20, 1)), cloud(5), np.zeros((3, 16), np.float32)])
    assert np.isfinite(project(rows, method).points).all()
