import json
import threading
from concurrent.futures import ThreadPoolExecutor

import gradio as gr
import numpy as np
import pytest

from mtst.analysis.projection import METHODS
from mtst.ui.components.progress import ProgressSteps, with_progress
from mtst.ui.map import drawing as map_drawing
from mtst.ui.map.drawing import STARTER, TRAINED, MapRequest, MapView, recolour
from mtst.ui.map.embedding_map import EmbeddingMap
from mtst.ui.map.selection import NO_CHANGE, add_sentence, save_selection, search_sentences, select
from mtst.ui.map.source import FILE, SAMPLE_ALL, SAMPLE_SMALL, TYPED, read_file
from mtst.ui.plots.map import NO_LABEL, OTHER
from mtst.ui.services.services import Services
from tests.support.csv_rows import rows_of

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"
CATS = "The cat sleeps.\nA cat is asleep.\nShares fell.\nStocks went down.\nA kitten naps.\nThe market crashed."


def shown(update: object) -> bool:
    """Whether an update leaves its component visible."""
    return bool(update["visible"] if isinstance(update, dict) else update.visible)


def points_in(view: MapView) -> int:
    """How many sentences are drawn."""
    return sum(len(trace["x"]) for trace in value(view.figure)["data"] if trace["mode"] == "markers")


def value(update: object) -> object:
    return update["value"] if isinstance(update, dict) else update.value


def request(source: str, text: str = "", method: str = "PCA", **other: object) -> MapRequest:
    usual = {"table": None, "column": None, "model": STARTER, "colour": "known:topic", "run": None}
    return MapRequest(source, text, method=method, **(usual | other))


def draw(services: Services, *values: object, **other: object) -> MapView:
    """Return the last view."""
    *_, last = map_drawing.draw(services, request(*values, **other))
    return last


@pytest.fixture(scope="module")
def cats(services: Services) -> EmbeddingMap:
    return draw(services, TYPED, CATS).drawing


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("text", ["one", "one\ntwo", "one\ntwo\nthree", CATS])
def test_the_map_draws_any_number_of_own_sentences(services: Services, method: str, text: str) -> None:
    view = draw(services, TYPED, text, method)
    assert shown(view.figure)
    assert not shown(view.placeholder)
    assert points_in(view) == len(text.splitlines())


def test_the_map_without_sentences_says_so(services: Services) -> None:
    view = draw(services, TYPED, " \n ")
    assert view.drawing is None
    assert not shown(view.figure)
    assert "No points yet" in value(view.placeholder)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"source": FILE}, "Choose a file first"),
        ({"source": TYPED, "text": "\n".join(str(number) for number in range(1_001))}, "at most 1,000"),
        ({"source": SAMPLE_SMALL, "model": TRAINED}, "Train one first"),
        ({"source": SAMPLE_SMALL, "model": TRAINED, "run": "../../etc"}, "Train again"),
    ],
)
def test_what_cannot_be_drawn_is_explained(services: Services, wrong: dict, message: str) -> None:
    view = draw(services, **wrong)
    assert not shown(view.figure)
    assert message in value(view.placeholder)


def test_the_sample_map_is_the_same_each_time(services: Services) -> None:
    first, second = (draw(services, SAMPLE_SMALL, colour="known:sentiment") for _ in range(2))
    assert value(first.figure)["data"] == value(second.figure)["data"]
    *points, names = value(first.figure)["data"]
    assert {trace["name"] for trace in points} == {*names["text"]} == {"negative", "neutral", "positive"}
    assert first.drawing.plane is second.drawing.plane  # computed once for all visitors
    own = [draw(services, TYPED, CATS).drawing.plane for _ in range(2)]
    assert own[0] is not own[1]


def test_what_takes_long_is_begun_only_when_it_is_asked_for(services: Services) -> None:
    for source in (SAMPLE_ALL, FILE):
        (only,) = map_drawing.draw(services, request(source), requested=False)
        assert "Press Draw map" in value(only.placeholder)


def test_who_leaves_the_line_leaves_nothing_behind() -> None:
    hold, done, line = threading.Event(), [], ThreadPoolExecutor(1)
    first = with_progress("Placing", lambda: done.append(hold.wait(60)), line)
    assert next(first).description == "Placing"
    second = with_progress("Placing", lambda: done.append("a ghost"), line)
    assert "Waiting for others" in next(second).description
    third = ProgressSteps(with_progress("Placing", lambda: "drawn", line))
    waiting = next(steps := iter(third))
    first.close()
    second.close()
    assert "Waiting for others" in next(steps).description  # what has begun goes on, though nobody looks
    hold.set()
    list(steps)
    assert (third.result, done) == ("drawn", [True])
    assert waiting.seconds > 0


@pytest.mark.parametrize("method", ["t-SNE", pytest.param("UMAP", marks=pytest.mark.slow)])
def test_a_large_map_waits_for_those_of_others_and_others_for_none(services: Services, method: str) -> None:
    hold = threading.Event()
    other = services.executors.projections[method].submit(hold.wait, 60)
    steps = map_drawing.draw(services, request(TYPED, CATS, method))
    assert "Waiting for others" in next(steps).progress["value"]
    assert shown(draw(services, TYPED, CATS, "PCA").figure)
    hold.set()
    assert shown([*steps][-1].figure)
    assert other.result(60)


def test_points_are_coloured_by_label_prediction_correctness_and_cluster(services: Services) -> None:
    drawing = draw(services, SAMPLE_SMALL).drawing
    keys = [key for _, key in drawing.colours()]
    assert {"known:topic", "predicted:topic", "right:topic", "known:sentiment", "cluster:"} <= set(keys)
    for key in keys:
        groups, order = drawing.groups(key)
        assert len(groups) == 400
        assert set(groups) <= set(order)
    right = drawing.groups("right:topic")[0]
    expected = [a == b for a, b in zip(drawing.values["topic"], drawing.groups("predicted:topic")[0], strict=True)]
    assert [group == "right" for group in right] == expected
    assert expected.count(True) > 300
    assert len(set(drawing.groups("cluster:")[0])) == 8
    assert shown(recolour(drawing, "cluster:"))
    assert "value" not in recolour(drawing, "known:no such column")
    assert "value" not in recolour(None, "known:topic")


def test_a_file_is_drawn_in_the_colours_of_its_columns(services: Services, write_csv) -> None:
    rows = [f"sentence number {k} is here,{'ab'[k % 2]},kind {k % 30},{k}" for k in range(120)]
    path = write_csv("\n".join(["text,letter,kind,id", *rows, ",a,kind 1,x", 'last one,,,"y"']))
    file = read_file(services, path)
    assert value(file.column) == "text"
    assert "122 rows read" in value(file.note)
    view = draw(services, FILE, table=file.table, column="text")
    drawing = view.drawing
    assert value(view.colour) == "known:letter"
    assert list(drawing.values) == ["letter", "kind"]
    assert len(drawing.texts) == 121
    assert drawing.groups("known:letter")[1] == ["a", "b", NO_LABEL]
    groups, order = drawing.groups("known:kind")
    assert len(order) == 10
    assert groups.count(OTHER) > 50
    *_, names = value(recolour(drawing, "known:kind"))["data"]
    assert sorted(names["text"]) == order[:-2]  # neither the others nor those without a label
    assert "Trustworthiness" in view.trust
    assert shown(view.figure)


def test_a_chosen_point_lists_its_true_neighbours_and_leads_to_them(cats: EmbeddingMap) -> None:
    for index in (0, "0"):
        view = select(cats, index)
        x, y = view.figure["mark"]["x"], view.figure["mark"]["y"]
        np.testing.assert_allclose([x[0], y[0]], cats.plane.points[0], atol=1e-4)
        ends = sorted(zip(x[2::3], y[2::3], strict=True))
        np.testing.assert_allclose(ends, sorted(cats.plane.points[1:].tolist()), atol=1e-4)
        _, rows = view.selected.split("<ol", 1)
        assert rows.index("A cat is asleep.") < rows.index("Shares fell.")
        assert "The cat sleeps." not in rows
        assert "of its 5 nearest sentences" in view.selected
        assert not shown(view.save)


@pytest.mark.parametrize("number", [None, -1, 6, "-1", "9" * 99, 1.5, True, ["0"], [6], [], {"a": 1}])
def test_a_point_that_is_not_there_cannot_be_selected(cats: EmbeddingMap, number: object) -> None:
    assert select(cats, number) is NO_CHANGE
    assert select(None, 0) is NO_CHANGE


def test_an_area_is_listed_and_saved(cats: EmbeddingMap) -> None:
    view = select(cats, [2, 5, 99])
    assert "2 sentences in this area" in view.selected
    assert len(view.figure["mark"]["x"]) == 2
    assert (view.inside, shown(view.save), value(view.save)) == ([2, 5], True, "Save 2 sentences as CSV")
    rows = rows_of(save_selection(cats, view.inside))
    assert [row["sentence"] for row in rows] == ["Shares fell.", "The market crashed."]
    assert rows[0]["predicted topic"] == "business"
    assert float(rows[0][cats.plane.axes[0]]) == pytest.approx(cats.plane.points[2, 0], abs=1e-4)
    with pytest.raises(gr.Error, match="Select sentences first"):
        save_selection(cats, [])


def test_a_search_rings_the_sentences_with_all_its_words(cats: EmbeddingMap) -> None:
    view = search_sentences(cats, " CAT asleep ")
    assert "1 sentence with these words" in view.selected
    assert "A cat is asleep." in view.selected
    assert view.inside == [1]
    view = search_sentences(cats, "zebra")
    assert "No sentences with these words" in view.selected
    assert (view.figure["mark"], shown(view.save)) == ({}, False)
    assert search_sentences(cats, " ").figure["mark"] == {}
    assert search_sentences(None, "cat") is NO_CHANGE


@pytest.mark.parametrize("method", METHODS)
def test_a_written_sentence_lands_near_its_like(services: Services, method: str) -> None:
    drawing = draw(services, TYPED, CATS, method).drawing
    view = add_sentence(services, drawing, " A cat is napping. ")
    _, rows = view.selected.split("<ol", 1)
    assert rows.index("A kitten naps.") < rows.index("Shares fell.")
    assert "It is new here" in view.selected
    place = np.array([view.figure["mark"]["x"][0], view.figure["mark"]["y"][0]])
    distances = np.linalg.norm(drawing.plane.points - place, axis=1)
    assert distances[[0, 1, 4]].min() < distances[[2, 3, 5]].min()


def test_a_written_sentence_that_is_there_is_chosen(services: Services, cats: EmbeddingMap) -> None:
    assert add_sentence(services, cats, "Shares fell.").selected == select(cats, 2).selected
    assert add_sentence(services, cats, "  ") is NO_CHANGE


def test_hostile_text_is_shown_as_typed(services: Services) -> None:
    view = draw(services, TYPED, f"{EVIL}\n{EVIL} again\nhello", colour="cluster:")
    drawing = view.drawing
    near = select(drawing, 0).selected
    landed = add_sentence(services, drawing, f"{EVIL} new").selected
    for made in (json.dumps(value(view.figure)), near, landed):
        assert "<script" not in made
        assert "<img" not in made
        assert "&lt;script" in made


def test_a_file_and_typed_sentences_are_checked_for_what_looks_odd(services: Services, write_csv) -> None:
    path = write_csv("text,n\n<b>bold</b> words,1\n这部电影很好看,2\n我不喜欢这个故事,3\n")
    file = read_file(services, path)
    assert "1 text holds HTML" in value(file.note)
    view = draw(services, FILE, table=file.table, column="text")
    assert "2 texts" in value(view.unread)
    assert "line 3" in value(view.unread)
    assert "2 texts" in value(draw(services, TYPED, "a film\n这部电影很好看\n我不喜欢这个故事").unread)
    assert value(draw(services, TYPED, CATS).unread) == ""
    assert value(map_drawing.MapView.message("nothing").unread) == ""
