import math
from dataclasses import replace

import pytest

from mtst.evaluation.scores import Scores
from mtst.runs.history import History
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
    history = History()
    history.extend(EVENTS[:6])
    assert not history.over
    history.extend(EVENTS[6:])
    assert history.over
    assert (history.started, history.baselines, history.embedded) == (STARTED, EVENTS[1], EVENTS[3])
    assert history.steps == EVENTS[5:7]
    assert history.epochs == [EVENTS[4], EVENTS[7], EVENTS[9]]
    assert history.opened == [EVENTS[8]]
    assert (history.finished, history.failed) == (EVENTS[10], None)


def test_a_search_for_rates_has_a_history_too():
    tried = [RateTried(n, 10.0**n, 0.1, 0.5, (n + 6) / 10) for n in range(-5, 0)]
    history = History()
    history.extend([STARTED, *tried])
    assert not history.over
    assert history.elapsed == 0.5
    history.extend([RatesFound(0.1, 0.01, 0.75)])
    assert history.over
    assert history.tried == tried
    assert (history.found.head_rate, history.elapsed) == (0.1, 0.75)


def test_a_failure_ends_a_history():
    assert History(failed=Failed("no")).over


def test_changes_are_those_of_the_proof():
    history = History()
    assert history.changes == {}
    history.extend([finished()])
    assert history.changes == {"block-0": math.inf, "head:mood": 0.5}


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
    history = History()
    history.extend([replace(STARTED, keeps=keeps)])
    assert history.best is None
    # of 3 rows in each of two tasks: a standard error of 0.2, and 0.1 of a difference
    history.extend([epoch(0, 0.5, 0.1), epoch(1, 0.6, 0.6), epoch(2, 0.7, 0.5), epoch(3, 0.6, 0.45), epoch(4, 0.3)])
    assert history.best.epoch == kept
