import re
from dataclasses import replace

import pytest

from mtst.ui.train.results import freezing_schedule
from tests.support.fake_history import BEFORE, BETTER, FIRST, GROUPS, LATER, ended, finished, history_of, started


def rows(html: str) -> list[tuple[str, str]]:
    return re.findall(r'class="name" dir="auto">(.*?)</span><span class="sr">, (.*?)</span>', html)


def test_groups_that_open_at_once_have_no_schedule() -> None:
    assert freezing_schedule.timeline(GROUPS, 3) == ""
    assert freezing_schedule.running(history_of()) == ""
    assert freezing_schedule.running(history_of(started(2))) == ""


def test_rows_go_from_the_heads_down_and_say_when_each_opens() -> None:
    assert rows(freezing_schedule.timeline(LATER, 3)) == [
        ("2 heads", "from epoch 1"),
        ("Block 1", "from epoch 2"),
        ("Block &lt;0&gt;", "from epoch 3"),
    ]


def test_heads_that_differ_have_a_row_each() -> None:
    groups = (*LATER[:3], replace(LATER[3], opens_at=None))
    assert [name for name, _ in rows(freezing_schedule.timeline(groups, 3))][:2] == ["a head", "b head"]
    assert ("b head", "frozen") in rows(freezing_schedule.timeline(groups, 3))


@pytest.mark.parametrize(
    ("events", "waiting", "words"),
    [
        ([], 2, "2 of 4 layer groups open in epoch 1"),
        ([BEFORE], 2, "2 of 4 layer groups open in epoch 1"),
        ([BEFORE, FIRST], 1, "3 of 4 layer groups open in epoch 2"),
        ([BEFORE, FIRST, ended(2, 4, BETTER, 3.0)], 0, "4 of 4 layer groups open in epoch 3"),
        ([BEFORE, FIRST, finished(stopped=True)], 0, "2 of 4 layer groups open after epoch 1"),
    ],
)
def test_a_run_shows_how_far_it_has_come(events: list, waiting: int, words: str) -> None:
    html = freezing_schedule.running(history_of(started(3, LATER), *events))
    assert html.count('class="waits"') == waiting
    assert words in html
    assert ('class="now"' in html) == ("after" not in words)


def test_many_epochs_are_drawn_without_a_line_for_each() -> None:
    assert "lined" in freezing_schedule.timeline(LATER, 40)
    assert "lined" not in freezing_schedule.timeline(LATER, 1000)
