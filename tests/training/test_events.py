import json
import math
import threading

import pytest

from mtst.data.dataset import make_dataset
from mtst.data.readers.records import Skipped
from mtst.data.tasks import Task
from mtst.errors import RunError
from mtst.evaluation.scores import LabelScores, Scores
from mtst.runs.event_log import EventLog, EventReader, from_json, to_json
from mtst.runs.folder import RunFolder
from mtst.runs.job import Job
from mtst.training.config import TrainConfig
from mtst.training.events import (
    Baselines,
    Embedded,
    EpochEnded,
    Failed,
    Finished,
    GroupPlan,
    GroupProof,
    Opened,
    RatesFound,
    RateTried,
    Started,
    StepEnded,
)

GROUPS = (
    GroupPlan("block-0", "Block 0", 12, opens_at=None, rate=0.0, task=None),
    GroupPlan("block-1", "Block 1", 12, opens_at=3, rate=1e-4, task=None),
    GroupPlan("head:mood", "mood head", 4, opens_at=1, rate=0.03, task="mood"),
)
MOOD = Task("mood", ("glad", "größe\n"))
STARTED = Started(
    "gradual",
    (MOOD,),
    {"mood": (5, 4)},
    GROUPS,
    9,
    3,
    epochs=2,
    steps=10,
    cached="embeddings",
    keeps="best",
    precision="bf16",
)
PROOF = (
    GroupProof("block-0", "Block 0", 12, None, 0.0, 0.0, same=True),
    GroupProof("head:mood", "mood head", 4, (1, 2), 0.03, math.inf, same=False),
)


def scores(macro_f1, loss=0.5):
    return Scores(3, loss, 0.5, 0.5, 0.5, macro_f1, 0.5, 0.1, (LabelScores(3, 1.0, 0.5, 0.25),))


def epoch(number, step, train, validation, seconds):
    return EpochEnded(number, step, train, validation, 0.25, {"mood": 1.5}, seconds)


EVENTS = [
    STARTED,
    StepEnded(1, {"mood": 0.25}, 0.5),
    StepEnded(2, {"mood": math.inf, "topic": -math.inf}, 0.5),
    StepEnded(3, {}, 0.5),
    epoch(0, 0, {}, {"mood": scores(0.5)}, 0.1),
    epoch(1, 5, {"mood": scores(0.5, math.inf)}, {"größe\n": scores(1.0)}, 1.5),
    Finished(1, stopped=True, early=False, proof=PROOF, confusion={"größe\n": ((3, 0), (1, 2)), "": ()}, seconds=2.0),
    Failed("It went wrong:\nno “space” left."),
    Embedded(512, 1000, 0.25),
    Baselines({"mood": scores(0.25)}, {}, 0.5),
    Opened(3, ("block-1", "dense"), "hidden states", 0.75),
    RateTried(1, 1e-5, 1e-7, math.inf, 0.1),
    RatesFound(3e-2, 1e-4, 0.1),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.kind)
def test_an_event_survives_its_line_of_json(event):
    line = to_json(event)
    assert b"\n" not in line
    assert json.loads(line)["kind"] == event.kind
    assert from_json(line) == event


def test_a_loss_that_is_not_a_number_survives_too():
    event = from_json(to_json(StepEnded(1, {"mood": math.nan}, 0.5)))
    assert math.isnan(event.losses["mood"])
    event = from_json(to_json(epoch(1, 1, {}, {"mood": scores(0.5, math.nan)}, 1.0)))
    assert math.isnan(event.validation["mood"].loss)


def test_a_group_is_open_if_it_ever_opens():
    assert [group.open for group in GROUPS] == [False, True, True]


@pytest.mark.parametrize("line", [b"", b"{}", b'{"kind": "other"}', b'{"kind": "step", "step": 1}', b"[1]"])
def test_what_is_no_event_is_refused(line):
    with pytest.raises(ValueError, match="validation error"):
        from_json(line)


# --- the folder

CONFIG = TrainConfig(
    "custom", open_groups=("block-1", "head:größe"), epochs=3, clip=0.0, task_weights={"größe": 0.5}, seed=7
)
JOB = Job("all-MiniLM-L6-v2", CONFIG, source="my.csv", text="text")


@pytest.fixture
def folder(tmp_path, sample):
    made = RunFolder(tmp_path / "run")
    made.create(JOB, sample)
    return made


def test_a_folder_gives_back_the_job_and_the_data(folder, sample):
    assert folder.job() == JOB
    assert folder.job().config.task_weights == {"größe": 0.5}
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
    folder.create(Job("e", TrainConfig()), data)
    assert folder.data().skipped == (Skipped(3, "no text"),)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path, sample):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be stored"):
        RunFolder(tmp_path / "file" / "run").create(Job("e", TrainConfig()), sample)


def test_a_stop_is_remembered(folder):
    assert not folder.stop_requested
    folder.request_stop()
    folder.request_stop()
    assert RunFolder(folder.path).stop_requested


def test_a_reader_gives_what_is_new_each_time(tmp_path):
    path = tmp_path / "events.jsonl"
    reader = EventReader(path)
    assert reader.read() == []
    with EventLog(path, 0) as log:
        log.write(EVENTS[0])
        assert reader.read() == EVENTS[:1]
        assert reader.read() == []
        log.write(EVENTS[1])
    with EventLog(path, 0) as log:
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


def test_a_log_that_is_cut_and_continued_while_it_is_read_gives_whole_events(tmp_path):
    path = tmp_path / "events.jsonl"
    rounds = 300

    def write():
        for _ in range(rounds):
            with path.open("ab") as file:
                file.write(to_json(EVENTS[1])[:12])  # by a process that is killed
            with EventLog(path, 5) as log:
                log.write(EVENTS[1])

    thread = threading.Thread(target=write)
    thread.start()
    reader, found = EventReader(path), []
    while thread.is_alive():
        found += reader.read()
    thread.join()
    found += reader.read()
    assert found == [EVENTS[1]] * rounds


def test_what_is_written_after_a_broken_line_can_be_read(folder):
    folder.events_path.write_bytes(to_json(EVENTS[0]) + b"\n" + to_json(EVENTS[1])[:10])
    with folder.event_log() as log:
        log.write(EVENTS[7])
    assert folder.history().started == STARTED
    assert folder.history().failed == EVENTS[7]
