import math
from dataclasses import replace

import pytest

from mtst.comparison.events import Compared
from mtst.errors import RunError
from mtst.evaluation.scores import Scores
from mtst.runs.history import History
from mtst.runs.state import Running, Waiting
from mtst.training.events import (
    Baselines,
    Embedded,
    EpochEnded,
    Failed,
    Finished,
    GroupProof,
    Opened,
    RatesFound,
    RateTried,
    Resumed,
    Started,
    StepEnded,
)

STARTED = Started("gradual", (), {}, (), 9, 3, epochs=2, steps=10, cached="embeddings", keeps="best", precision="fp32")
PROOF = (
    GroupProof("block-0", "Block 0", 12, None, 0.0, math.inf, same=False),
    GroupProof("head:mood", "mood head", 4, (1, 2), 0.03, 0.5, same=False),
)


def epoch(number, *figures, seconds=1.0):
    validation = {f"task {n}": Scores(3, 0.5, 0.5, 0.5, 0.5, f1, 0.5, 0.1) for n, f1 in enumerate(figures)}
    return EpochEnded(number, number * 5, {}, validation, 0.0, {}, seconds)


def finished(seconds=4.0):
    return Finished(1, stopped=False, early=False, proof=PROOF, confusion={}, seconds=seconds)


EVENTS = [
    STARTED,
    Baselines({}, {}, 0.2),
    Embedded(4, 12, 0.1),
    Embedded(12, 12, 0.2),
    epoch(0, 0.5),
    StepEnded(1, {"mood": 0.25}, 0.5),
    StepEnded(2, {}, 0.5),
    epoch(1, 0.6),
    Opened(2, ("block-1",), "hidden states", 1.5),
    epoch(2, 0.6),
    finished(),
]


def test_a_history_keeps_each_event_in_its_place():
    history = History(EVENTS[:6])
    assert not history.is_over
    history.extend(EVENTS[6:])
    assert history.is_over
    assert (history.started, history.baselines, history.embedded) == (STARTED, EVENTS[1], EVENTS[3])
    assert history.steps == EVENTS[5:7]
    assert history.epochs == [EVENTS[4], EVENTS[7], EVENTS[9]]
    assert history.opened == [EVENTS[8]]
    assert history.state == history.finished == EVENTS[10]


@pytest.mark.parametrize(
    ("events", "state", "outcome", "resumable"),
    [
        ([], Waiting(), "running", False),
        ([STARTED], Running(), "running", False),
        ([STARTED, StepEnded(4, {}, 0.5)], Running(), "running", False),
        ([STARTED, StepEnded(5, {}, 0.5)], Running(validating=True), "running", False),
        ([STARTED, StepEnded(5, {}, 0.5), epoch(1, 0.5)], Running(), "running", False),
        ([STARTED, finished()], finished(), "finished", False),
        ([STARTED, replace(finished(), stopped=True)], replace(finished(), stopped=True), "stopped", True),
        ([STARTED, RatesFound(0.1, 0.01, 1.0)], RatesFound(0.1, 0.01, 1.0), "finished", False),
        ([Compared(False, 1.0)], Compared(False, 1.0), "finished", False),
        ([Compared(True, 1.0)], Compared(True, 1.0), "stopped", True),
        ([Failed("no")], Failed("no"), "failed", True),
        ([STARTED, Failed("killed", "interrupted")], Failed("killed", "interrupted"), "interrupted", True),
        ([STARTED, Failed("killed", "interrupted"), Resumed(0, 0)], Waiting(), "running", False),
    ],
)
def test_the_state_of_a_run(events, state, outcome, resumable):
    history = History(events)
    assert (history.state, history.outcome, history.is_resumable) == (state, outcome, resumable)
    assert history.is_over == (outcome != "running")


def test_what_a_run_does_not_have_is_empty_or_refused():
    history = History()
    assert (history.tasks, history.groups, history.best_validation) == ((), (), {})
    assert (history.total_epochs, history.total_steps, history.last_epoch, history.last_step) == (0, 0, 0, 0)
    for name in ("started", "finished", "failed", "rates_found", "best", "highest_scoring"):
        with pytest.raises(RunError):
            getattr(history, name)


def test_a_resumed_run_forgets_what_came_after_its_epoch():
    history = History([*EVENTS[:-1], Failed("killed", "interrupted"), Resumed(1, 1)])
    assert ([ended.epoch for ended in history.epochs], history.steps, history.opened) == ([0, 1], EVENTS[5:6], [])
    assert history.has_started
    history.extend([Resumed(0, 0)])
    assert (history.epochs, history.steps, history.baselines, history.has_started) == ([], [], None, False)


def test_a_search_for_rates_has_a_history_too():
    tried = [RateTried(n, 10.0**n, 0.1, 0.5, (n + 6) / 10) for n in range(-5, 0)]
    history = History([STARTED, *tried])
    assert history.elapsed == 0.5
    history.extend([RatesFound(0.1, 0.01, 0.75)])
    assert history.tried == tried
    assert (history.rates_found.head_rate, history.elapsed) == (0.1, 0.75)


def test_elapsed_is_the_latest_time_said():
    history = History()
    assert history.elapsed == 0
    history.extend([STARTED, epoch(0, 0.5, seconds=0.5)])
    assert history.elapsed == 0.5
    history.extend([StepEnded(1, {}, 2.0)])
    assert history.elapsed == 2.0
    history.extend([epoch(1, 0.5, seconds=3.0)])
    assert history.elapsed == 3.0
    history.extend([finished(4.0)])
    assert history.elapsed == 4.0


def test_remaining_is_judged_by_the_pace_so_far():
    history = History()
    assert history.remaining is None
    history.extend([STARTED])
    assert history.remaining is None
    history.extend([StepEnded(1, {}, 60.5)])  # embedding took a minute, which says nothing about the steps
    assert history.remaining is None
    history.extend([StepEnded(4, {}, 62.0)])
    assert history.remaining == pytest.approx(3.0)
    history.extend([StepEnded(10, {}, 65.0)])
    assert history.remaining == 0


@pytest.mark.parametrize(("keeps", "kept"), [("best", 1), ("settled", 3), ("last", 4)])
def test_the_best_epoch_is_the_one_that_is_kept(keeps, kept):
    history = History([replace(STARTED, keeps=keeps)])
    # of 3 rows in each of two tasks: a standard error of 0.2, and 0.5 of a difference in the end
    history.extend([epoch(0, 0.5, 0.1), epoch(1, 0.6, 0.6), epoch(2, 0.7, 0.5), epoch(3, 0.6, 0.45), epoch(4, 0.1)])
    assert history.best.epoch == kept
