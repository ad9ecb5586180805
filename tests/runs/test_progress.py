from dataclasses import replace

import pytest

from mtst.runs.history import History
from mtst.runs.progress import phases, total_share
from mtst.training.events import Embedded, GroupPlan, StepEnded
from tests.support.fake_history import BASELINES, BEFORE, finished, started


def opening_later(steps: list[tuple[int, float]]) -> History:
    """A run of four epochs of ten steps, whose only block opens in the third."""
    block = GroupPlan("block-0", "Block 0", 100, 3, 1e-4, None)
    return History([started(4, (block,), 40), *(StepEnded(step, {}, seconds) for step, seconds in steps)])


def test_the_time_to_go_is_not_told_by_steps_without_the_encoder_and_embedding_counts_by_the_epoch() -> None:
    fast = [(step, 0.01 * step) for step in range(1, 21)]
    assert opening_later(fast).remaining is None
    opened = [*fast, (21, 30.0), (22, 31.0), (23, 32.0)]  # 30 seconds of embedding before the first step with a block
    pause = (0.01 + 29.8) / 2 - 1
    assert opening_later(opened).remaining == pytest.approx(7 + 10 + pause)


def test_an_epoch_of_one_step_is_timed_from_epoch_to_epoch() -> None:
    steps = [StepEnded(n, {}, 2.0 * n) for n in (1, 2, 3)]
    assert History([started(10, (), 10), *steps]).remaining == pytest.approx(14.0)


def test_the_parts_of_a_run_are_done_one_after_another() -> None:
    history = History()
    assert (phases(history), total_share(())) == ((), 0.0)
    seen = []
    for event in (started(2), Embedded(3, 6, 0.1), BASELINES, BEFORE, StepEnded(1, {}, 1.0), finished()):
        history.extend([event])
        parts = phases(history)
        seen.append(([part.name for part in parts if part.current], [part.done for part in parts]))
    assert seen == [
        (["Embed"], [0, 0, 0, 0]),
        (["Embed"], [0.5, 0, 0, 0]),
        (["Baselines"], [1, 0.5, 0, 0]),
        (["Train"], [1, 1, 0, 0]),
        (["Train"], [1, 1, 0.25, 0]),
        ([], [1, 1, 1, 1]),
    ]
    assert total_share(phases(history)) == 1


def test_where_nothing_is_trained_there_is_no_such_part() -> None:
    assert [part.name for part in phases(History([replace(started(0), steps=0)]))] == ["Embed", "Baselines", "Check"]
