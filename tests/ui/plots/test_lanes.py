from dataclasses import replace

import pytest

from mtst.training.events import GroupPlan
from mtst.ui.plots import lanes
from mtst.ui.plots.lanes import Schedule
from tests.support.fake_history import LATER

EVIL = "<img src=x onerror=alert(1)>"


def rectangles(schedule: Schedule) -> list[dict]:
    return [shape for shape in lanes.lanes(schedule).shapes if shape["type"] == "rect" and shape["x1"] > shape["x0"]]


def test_each_row_has_its_place_and_is_warm_from_the_epoch_in_which_it_opens() -> None:
    schedule = Schedule(LATER, 3)
    height = schedule.height
    assert height == 4 * 40 + 3 * lanes.GAP
    tops = sorted({round(height * (1 - shape["y1"]), 6) for shape in rectangles(schedule)})
    assert tops == [0, 44, 88, 132]
    cold = {round(height * (1 - s["y1"])): s["x1"] for s in rectangles(schedule) if s["fillcolor"] == "var(--ice-0)"}
    assert cold == {88: 1, 132: 2}  # block 1 opens in epoch 2, block 0 in epoch 3; the heads are open from the start
    assert len(lanes.lanes(schedule).hatched) == 4


def test_what_is_to_come_is_pale_and_what_came_after_the_kept_epoch_too() -> None:
    running = rectangles(Schedule(LATER, 4, done=2.5))
    assert {s["x1"] for s in running if s["fillcolor"] == "var(--warm-1)"} == {2.5}
    kept = rectangles(Schedule(LATER, 4, done=4, kept=3))
    assert {s["x1"] for s in kept if s["fillcolor"] == "var(--warm-1)"} == {3}
    frozen = Schedule([replace(group, opens_at=None) for group in LATER], 4, done=1)
    assert {s["fillcolor"] for s in rectangles(frozen)} == {"var(--ice-0)"}


@pytest.mark.parametrize(("rows", "height"), [(2, 40), (9, 40), (10, 36), (15, 28), (33, 22)])
def test_many_rows_are_lower(rows: int, height: int) -> None:
    assert lanes.row_height(rows) == height


def test_the_axis_tells_the_share_that_each_epoch_trains_and_has_few_ticks() -> None:
    axis = lanes.axis(Schedule(LATER, 3))
    assert list(axis["ticktext"]) == ["epoch 1<br>trains 9%", "2<br>55%", "3<br>100%"]
    assert len(lanes.axis(Schedule(LATER, 1000))["tickvals"]) <= lanes.MAX_TICKS


def test_names_beside_the_lanes_are_text() -> None:
    group = GroupPlan("head:a", "a head", 10, 1, 0.1, EVIL)
    (name,) = lanes.names(Schedule([group], 2))
    assert name["text"].startswith("&lt;img")
