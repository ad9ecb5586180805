import json
from itertools import combinations

import numpy as np
import plotly.graph_objects as go
import pytest

from mtst.analysis.projection import Projection, project
from mtst.analysis.similarity import cosine
from mtst.ui.plots import map as map_plots
from mtst.ui.plots import similarity as similarity_plots

EVIL = "<b>bold</b> <a href='https://example.org'>go</a> $x^2$ %{x}"


def texts_of(figure: go.Figure) -> str:
    return json.dumps(figure.to_plotly_json(), default=str)


def test_markup_in_a_sentence_stays_text() -> None:
    drawn = similarity_plots.plain(EVIL)
    assert "<b>" not in drawn
    assert "<a" not in drawn
    assert "&lt;b&gt;bold" in drawn


def test_a_very_long_sentence_is_cut_and_wrapped() -> None:
    drawn = similarity_plots.plain("word " * 20_000)
    assert len(drawn) < 600
    assert max(map(len, drawn.split("<br>"))) <= 60


@pytest.mark.parametrize("count", [2, 14, 15, 31, 200])
def test_the_heat_map_names_every_sentence_and_escapes_it(count: int) -> None:
    sentences = [f"{number} {EVIL}" for number in range(count)]
    rows = np.random.default_rng(0).normal(size=(count, 8))
    figure = similarity_plots.similarity_map(sentences, cosine(rows))
    assert np.asarray(figure.data[0].z).shape == (count, count)
    assert "<b>" not in texts_of(figure)
    assert len(figure.layout.meta["pairs"]) == count
    assert (figure.data[0].texttemplate is None) == (count > similarity_plots.LEGIBLE)
    assert len(texts_of(figure)) < 500_000
    changes = similarity_plots.change_map(sentences, cosine(rows), cosine(rows[:, ::-1] + 1))
    assert "<b>" not in texts_of(changes)
    assert changes.data[0].zmin == -changes.data[0].zmax


def test_the_colours_tell_the_pairs_apart_in_any_order() -> None:
    cosines = np.array([[1.0, 0.5, -0.1], [0.5, 1.0, 0.2], [-0.1, 0.2, 1.0]])
    figure = similarity_plots.similarity_map(["one", "two", "three"], cosines, order=[2, 0, 1])
    heat = figure.data[0]
    assert (heat.zmin, heat.zmax) == (-0.1, 0.5)
    assert (heat.x, tuple(heat.z[0])) == (("3", "1", "2"), (1.0, -0.1, 0.2))
    assert figure.layout.meta["pairs"] == ["3. three", "1. one", "2. two"]
    assert similarity_plots.colour_limits(cosines, np.full((3, 3), 0.9)) == (-0.1, 0.9)
    assert similarity_plots.colour_limits(np.eye(2)) == (0.0, similarity_plots.LEAST_RANGE)


def test_the_scatter_has_a_colour_and_a_name_for_each_group() -> None:
    groups = [str(number % 9) for number in range(30)]
    plane = project(np.random.default_rng(0).normal(size=(30, 8)))
    figure = map_plots.scatter(plane, [EVIL] * 30, groups, [str(number) for number in range(9)])
    *points, names = figure.data
    assert len({trace.marker.color for trace in points}) == 9
    assert sum(len(trace.x) for trace in points) == 30
    assert sorted(names.text) == sorted({*groups})
    assert "<b>" not in texts_of(figure)


def test_names_that_would_cover_each_other_are_moved_apart() -> None:
    points = np.random.default_rng(0).normal(size=(90, 2))
    points[80:] *= 10
    groups = [str(number % 9) for number in range(80)] + ["others"] * 10
    *traces, names = map_plots.scatter(Projection(points, ("x", "y")), groups, groups, sorted({*groups})).data
    assert (traces[0].name, traces[0].marker.color) == ("others", map_plots.NO_COLOUR)  # below all others
    assert "others" not in names.text
    width, height = np.ptp(points, axis=0) * (0.01, map_plots.ROW_HEIGHT)
    for (x, y), (a, b) in combinations(zip(names.x, names.y, strict=True), 2):
        assert abs(x - a) > width or abs(y - b) > 0.99 * height


def test_the_rarest_groups_share_one_colour() -> None:
    groups, order = map_plots.merge_rare([str(k) for k in range(20) for _ in range(k)] + [map_plots.NO_LABEL])
    assert order == [*sorted(map(str, range(12, 20))), map_plots.OTHER, map_plots.NO_LABEL]
    assert groups.count(map_plots.OTHER) == sum(range(12))
    assert map_plots.merge_rare(["a", "b"]) == (["a", "b"], ["a", "b", map_plots.NO_LABEL])


def test_a_point_knows_its_number_and_twenty_thousand_of_them_stay_small() -> None:
    points = np.random.default_rng(0).normal(size=(20_000, 2))
    groups = [str(number % 20) for number in range(20_000)]
    figure = map_plots.scatter(Projection(points, ("x", "y")), ["word " * 200] * 20_000, *map_plots.merge_rare(groups))
    assert len(texts_of(figure)) < 4_000_000
    *traces, _names = figure.data
    assert {trace.type for trace in traces} == {"scattergl"}
    for trace in traces:
        np.testing.assert_allclose(points[list(trace.customdata), 0], trace.x, atol=1e-4)


def test_the_mark_of_a_point_says_its_text_as_typed() -> None:
    drawn = map_plots.selection_trace(np.array([[3.0, 4.0]]), EVIL, np.array([1.0, 2.0]))
    assert drawn["x"] == [1.0, 1.0, 3.0, None]
    assert "<b>" not in drawn["text"]


@pytest.mark.parametrize("text", ["a \u202eb", "var(--ink)", "nul\0inside", "x" * 100_000])
def test_what_a_text_holds_has_no_power_over_the_figure(text: str) -> None:
    drawn = similarity_plots.plain(text)
    assert drawn.count("\u2068") == drawn.count("\u2069") == ("\u202e" in text)
    assert drawn != text
    assert "\0" not in drawn
    assert len(drawn) < 600


@pytest.mark.parametrize(
    ("tokens", "cut"), [([3, 5, 9], 0), ([3, 256, 257, 300, 9_000], 3), ([256], 0), ([257], 1), ([], 0), ([256] * 5, 0)]
)
def test_no_bar_of_lengths_holds_both_cut_texts_and_whole_ones(tokens: list[int], cut: int) -> None:
    (bars,) = similarity_plots.text_lengths(tokens, 256).data
    hues = zip(bars.marker.color, bars.y, strict=True)
    assert sum(bars.y) == len(tokens)
    assert sum(count for hue, count in hues if hue == "var(--bad)") == cut


@pytest.mark.parametrize("longest", [40, 100, 256, 400, 5_000])
def test_the_line_of_truncation_is_always_named(longest: int) -> None:
    drawn = similarity_plots.text_lengths([5, longest], 256)
    assert "cut at 256" in texts_of(drawn)
    assert len(drawn.layout.shapes) == (longest > 64)
