import json
import math

import pytest

from mtst.config import TrainConfig
from mtst.data import make_dataset
from mtst.errors import RunError
from mtst.evaluation import Scores
from mtst.events import (
    EpochEnded,
    Failed,
    Finished,
    GroupPlan,
    History,
    Started,
    StepEnded,
    from_json,
    to_json,
)
from mtst.folder import EventLog, EventReader, Job, RunFolder
from mtst.records import Skipped
from mtst.tasks import Task

GROUPS = (
    GroupPlan("block-0", "Block 0", 12, open=False, rate=0.0, task=None),
    GroupPlan("head:mood", "mood head", 4, open=True, rate=0.03, task="mood"),
)
MOOD = Task("mood", ("glad", "größe\n"))
STARTED = Started("freeze-encoder", (MOOD,), {"mood": (5, 4)}, GROUPS, 9, 3, epochs=2, steps=10, cached=True)


def scores(macro_f1, loss=0.5):
    return Scores(3, loss, 0.5, 0.5, 0.5, macro_f1, 0.5)


def epoch(number, *figures, seconds=1.0):
    return EpochEnded(number, number * 5, {}, {f"task {n}": scores(f1) for n, f1 in enumerate(figures)}, seconds)


EVENTS = [
    STARTED,
    StepEnded(1, {"mood": 0.25}, 0.5),
    StepEnded(2, {"mood": math.inf, "topic": -math.inf}, 0.5),
    StepEnded(3, {}, 0.5),
    EpochEnded(0, 0, {}, {"mood": scores(0.5)}, 0.1),
    EpochEnded(1, 5, {"mood": scores(0.5, math.inf)}, {"größe\n": scores(1.0)}, 1.5),
    Finished(1, stopped=True, changes={"block-0": 0.0, "head:mood": math.inf}, seconds=2.0),
    Failed("It went wrong:\nno “space” left."),
]


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_survives_its_line_of_json(event):
    line = to_json(event)
    assert b"\n" not in line
    assert json.loads(line)["kind"] == event.kind
    assert from_json(line) == event


def test_a_loss_that_is_not_a_number_survives_too():
    event = from_json(to_json(StepEnded(1, {"mood": math.nan}, 0.5)))
    assert math.isnan(event.losses["mood"])
    event = from_json(to_json(EpochEnded(1, 1, {}, {"mood": scores(0.5, math.nan)}, 1.0)))
    assert math.isnan(event.validation["mood"].loss)


@pytest.mark.parametrize("line", [b"", b"{}", b'{"kind": "other"}', b'{"kind": "step", "step": 1}', b"[1]"])
def test_what_is_no_event_is_refused(line):
    with pytest.raises(ValueError, match="validation error"):
        from_json(line)


# --- the history


def test_a_history_keeps_each_event_in_its_place():
    history = History()
    history.extend(EVENTS[:4])
    assert not history.over
    history.extend(EVENTS[4:7])
    assert history.over
    assert history.started == STARTED
    assert history.steps == EVENTS[1:4]
    assert history.epochs == EVENTS[4:6]
    assert (history.finished, history.failed) == (EVENTS[6], None)


def test_a_failure_ends_a_history():
    history = History(failed=Failed("no"))
    assert history.over


def test_elapsed_is_the_latest_time_said():
    history = History()
    assert history.elapsed == 0
    history.extend([STARTED, epoch(0, 0.5, seconds=0.5)])
    assert history.elapsed == 0.5
    history.extend([StepEnded(1, {}, 2.0)])
    assert history.elapsed == 2.0
    history.extend([epoch(1, 0.5, seconds=3.0)])
    assert history.elapsed == 3.0
    history.extend([Finished(1, stopped=False, changes={}, seconds=4.0)])
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


def test_the_best_epoch_has_the_highest_mean_over_the_tasks_the_earliest_of_equals():
    history = History()
    assert history.best is None
    history.extend([epoch(0, 0.9, 0.1), epoch(1, 0.6, 0.6), epoch(2, 0.7, 0.5), epoch(3, 0.8, 0.3)])
    assert history.best.epoch == 1


# --- the folder


@pytest.fixture
def folder(tmp_path, sample):
    made = RunFolder(tmp_path / "run")
    made.create(Job("all-MiniLM-L6-v2", TrainConfig("train-all", epochs=3, seed=7), "my.csv", "text"), sample)
    return made


def test_a_folder_gives_back_the_job_and_the_data(folder, sample):
    assert folder.job() == Job("all-MiniLM-L6-v2", TrainConfig("train-all", epochs=3, seed=7), "my.csv", "text")
    data = folder.data()
    assert (data.texts, data.tasks, data.labels, data.lines) == (
        sample.texts,
        sample.tasks,
        sample.labels,
        sample.lines,
    )
    assert {path.name for path in folder.path.iterdir()} == {"config.json", "data.json"}
    assert folder.path.stat().st_mode & 0o077 == 0


def test_skipped_rows_are_kept_with_the_data(tmp_path, table_of):
    data = make_dataset(table_of("text,mood\none,glad\n,sad\n"), "text", ["mood"])
    folder = RunFolder(tmp_path / "run")
    folder.create(Job("e", TrainConfig(), "", "text"), data)
    assert folder.data().skipped == (Skipped(3, "no text"),)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path, sample):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be stored"):
        RunFolder(tmp_path / "file" / "run").create(Job("e", TrainConfig(), "", "text"), sample)


def test_a_stop_is_remembered(folder):
    assert not folder.stop_requested
    folder.request_stop()
    folder.request_stop()
    assert RunFolder(folder.path).stop_requested


def test_a_reader_gives_what_is_new_each_time(tmp_path):
    path = tmp_path / "events.jsonl"
    reader = EventReader(path)
    assert reader.read() == []
    with EventLog(path) as log:
        log.write(EVENTS[0])
        assert reader.read() == EVENTS[:1]
        assert reader.read() == []
        log.write(EVENTS[1])
    with EventLog(path) as log:
        log.write(EVENTS[4])
    assert reader.read() == [EVENTS[1], EVENTS[4]]


def test_a_reader_waits_for_the_rest_of_a_line(tmp_path):
    path = tmp_path / "events.jsonl"
    whole = b"".join(to_json(event) + b"\n" for event in EVENTS)
    reader = EventReader(path)
    found = []
    for end in range(0, len(whole) + 100, 100):
        path.write_bytes(whole[:end])
        found += reader.read()
        assert len(found) == whole[:end].count(b"\n")
    assert found == EVENTS


def test_what_is_written_after_a_broken_line_can_be_read(folder):
    folder.events_path.write_bytes(to_json(EVENTS[0]) + b"\n" + to_json(EVENTS[1])[:10])
    with folder.event_log() as log:
        log.write(EVENTS[7])
    assert folder.history().started == STARTED
    assert folder.history().failed == EVENTS[7]
