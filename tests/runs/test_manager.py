import asyncio
import json
import logging
import os
import shutil
import signal
import threading
import time

import psutil
import pytest

from mtst.errors import ModelError, RunError, SettingsError
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.runs.event_log import to_json
from mtst.runs.folder import RunFolder
from mtst.runs.job import Job
from mtst.runs.manager import RunManager
from mtst.runs.settings import Settings
from mtst.runs.worker import process
from mtst.runs.worker.main import _train
from mtst.runs.worker.model import best_model
from mtst.training.config import TrainConfig
from mtst.training.events import Baselines, Embedded, EpochEnded, Failed, Finished, Resumed, Started, StepEnded

LONG = TrainConfig("train-all", epochs=1000, batch_size=4)
SHORT = TrainConfig("freeze-all")
TOKEN = "a" * 32


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return RunManager(Settings(runs_dir=tmp_path_factory.mktemp("runs")))


@pytest.fixture
def submit(runs, swapped, tiny_folder):
    """Submit runs on the tiny encoder; those that are left over are stopped."""
    tokens = []

    def send(config, encoder=None):
        tokens.append(runs.submit(Job(encoder or str(tiny_folder()), config, "my.csv"), swapped))
        return tokens[-1]

    yield send
    for token in tokens:
        if (runs.settings.runs_dir / token).is_dir() and not runs.folder(token).history().is_over:
            runs.stop(token)
            follow(runs, token)


def follow(runs, token, until=lambda history: history.is_over):
    """Return the history of a run when it is over, or when something holds of it."""

    async def wait():
        async for history in runs.follow(token):
            if until(history):
                return history
        return history

    return asyncio.run(asyncio.wait_for(wait(), 120))


def unfinished_run(path, *events):
    """A run that a server which is gone has left in its folder."""
    folder = RunFolder(path)
    folder.path.mkdir(parents=True)
    (path / "config.json").write_text("{}")
    folder.events_path.write_bytes(b"".join(to_json(event) + b"\n" for event in events))
    return folder


def trainer():
    """The one process that trains: a child, at some remove, of this one that has been made nice."""
    return next(child for child in psutil.Process().children(recursive=True) if child.nice() >= 10)


def test_a_run_goes_from_start_to_finish_and_leaves_a_model(runs, swapped):
    token = runs.submit(Job("all-MiniLM-L6-v2", TrainConfig(epochs=2, batch_size=4, head_rate=0.3), "my.csv"), swapped)
    history = follow(runs, token)
    events = runs.folder(token).event_reader().read()
    kinds = [type(event) for event in events]
    assert kinds == [
        Started,
        Embedded,
        Baselines,
        Embedded,
        EpochEnded,
        *[StepEnded] * 4,
        EpochEnded,
        *[StepEnded] * 4,
        EpochEnded,
        Finished,
    ]
    assert history.finished == events[-1]
    report = json.loads(runs.folder(token).report_path.read_text())
    assert [group["key"] for group in report["groups"]] == [group.key for group in history.started.groups]
    assert not history.finished.stopped
    assert history.started.tasks == swapped.tasks
    assert runs.folder(token).job() == Job(
        "all-MiniLM-L6-v2", TrainConfig(epochs=2, batch_size=4, head_rate=0.3), "my.csv", "text"
    )
    model = MultiTaskSentenceTransformer.load(runs.folder(token).model_path)
    assert model.tasks == swapped.tasks
    assert not (runs.folder(token).model_path / "model.safetensors").exists()
    assert model.predict(["Our goalkeeper saved a penalty."])["topic"].labels == ["food"]


def test_only_the_owner_of_the_server_can_list_the_tokens(tmp_path):
    runs = RunManager(Settings(runs_dir=tmp_path / "runs"))
    assert runs.settings.runs_dir.stat().st_mode & 0o777 == 0o700


def test_a_waiting_run_that_is_stopped_ends_at_once(runs, submit):
    first, second = submit(LONG), submit(SHORT)
    runs.stop(second)
    last_word = follow(runs, second).failed
    assert last_word.state == "stopped"
    assert "waiting" in last_word.message
    assert runs.position(second) is None
    assert not runs.folder(first).history().is_over


def test_a_run_that_cannot_be_read_does_not_keep_the_app_from_starting(tmp_path):
    folder = unfinished_run(tmp_path / TOKEN)
    folder.events_path.write_bytes(b'{"kind": "unheard of"}\n')
    runs = RunManager(Settings(runs_dir=tmp_path))
    with pytest.raises(RunError, match="another version"):
        follow(runs, TOKEN)


def test_a_run_that_is_stopped_ends_soon_with_a_model(runs, submit):
    token = submit(LONG)
    follow(runs, token, lambda history: history.steps)
    runs.stop(token)
    history = follow(runs, token)
    assert history.finished.stopped
    assert history.steps[-1].step < history.started.steps
    assert (runs.folder(token).model_path / "model.safetensors").is_file()
    MultiTaskSentenceTransformer.load(runs.folder(token).model_path)


def test_a_run_whose_process_is_killed_has_failed(runs, submit):
    token = submit(LONG)
    follow(runs, token, lambda history: history.steps)
    os.kill(trainer().pid, signal.SIGKILL)
    history = follow(runs, token)
    assert history.failed.state == "interrupted"
    assert "killed" in history.failed.message
    assert not history.is_finished


def losses(history):
    return [event.losses for event in history.steps], [event.validation for event in history.epochs]


def test_a_killed_run_keeps_its_best_model_and_resumes_as_if_nothing_had_been(runs, submit):
    config = TrainConfig("train-all", epochs=40, batch_size=4, encoder_rate=1e-4)
    unbroken = follow(runs, submit(config))
    token = submit(config)
    follow(runs, token, lambda history: len(history.epochs) > 3)
    os.kill(trainer().pid, signal.SIGKILL)
    broken = follow(runs, token)
    assert broken.is_resumable
    assert len(broken.epochs) - 1 < 40
    first = best_model(runs.folder(token))
    MultiTaskSentenceTransformer.load(first)
    runs.resume(token)
    with pytest.raises(RunError, match="cannot be resumed"):
        runs.resume(token)
    resumed = follow(runs, token)
    assert losses(resumed) == losses(unbroken)
    assert resumed.finished.proof == unbroken.finished.proof
    assert resumed.finished.best_epoch == unbroken.finished.best_epoch
    assert not runs.folder(token).checkpoint_path.exists()
    with pytest.raises(RunError, match="cannot be resumed"):
        runs.resume(token)


@pytest.mark.slow
def test_a_stopped_run_resumes_too(runs, submit):
    token = submit(TrainConfig("freeze-encoder", epochs=100, batch_size=4))
    follow(runs, token, lambda history: len(history.epochs) > 2)
    runs.stop(token)
    stopped = follow(runs, token)
    assert stopped.finished.stopped
    runs.resume(token)
    resumed = follow(runs, token)
    assert [event.epoch for event in resumed.epochs] == list(range(101))
    assert not resumed.finished.stopped
    report = json.loads(runs.folder(token).report_path.read_text())
    assert len(report["epochs"]) == 101


def test_a_comparison_that_is_killed_goes_on_with_what_is_left(runs, swapped, tiny_folder):
    keys = ("freeze-all", "freeze-encoder", "train-all")
    config = TrainConfig(epochs=20, batch_size=8)
    token = runs.submit(Job(str(tiny_folder()), config, kind="compare", scenarios=keys, race=False), swapped)
    follow(runs, token, lambda history: len(history.comparison.ended) >= 2)
    os.kill(trainer().pid, signal.SIGKILL)
    broken = follow(runs, token)
    assert broken.failed.state == "interrupted"
    assert broken.is_resumable
    runs.resume(token)
    history = follow(runs, token)
    ended = [(one.attempt.scenario, one.attempt.fold) for one in history.comparison.ended]
    assert ended == [(key, fold) for fold in range(5) for key in keys]
    assert history.outcome == "finished"
    assert json.loads(runs.folder(token).report_path.read_text())["complete"]
    with pytest.raises(RunError, match="without a model"):
        best_model(runs.folder(token))


def test_a_run_without_an_epoch_has_no_model_and_begins_again(runs, submit):
    first, second = submit(LONG), submit(TrainConfig(epochs=2))
    with pytest.raises(RunError, match="not ended yet"):
        best_model(runs.folder(first))
    runs.stop(second)
    assert follow(runs, second).is_resumable
    with pytest.raises(RunError, match="without a model"):
        best_model(runs.folder(second))
    runs.resume(second)
    runs.stop(first)
    history = follow(runs, second)
    assert history.finished.best_epoch <= 2
    assert len(history.epochs) == 3


def test_a_run_that_takes_too_much_memory_says_so(tmp_path, swapped):
    runs = RunManager(Settings(runs_dir=tmp_path, max_memory_gb=0.5))
    token = runs.submit(Job("all-MiniLM-L6-v2", LONG), swapped)
    history = follow(runs, token)
    assert "memory" in history.failed.message
    assert history.is_resumable


def test_a_run_whose_time_is_up_stops_and_says_so(tmp_path, swapped, tiny_folder):
    runs = RunManager(Settings(runs_dir=tmp_path, max_minutes=0.02))
    token = runs.submit(Job(str(tiny_folder()), LONG), swapped)
    history = follow(runs, token)
    assert history.finished.stopped
    assert history.finished.out_of_time
    assert history.is_resumable


def test_a_run_that_does_not_stop_when_its_time_is_up_is_ended(tmp_path, swapped, tiny_folder, monkeypatch):
    monkeypatch.setattr(process, "GRACE_SECONDS", -3600)
    runs = RunManager(Settings(runs_dir=tmp_path))
    history = follow(runs, runs.submit(Job(str(tiny_folder()), LONG), swapped))
    assert history.failed.state == "interrupted"
    assert "did not stop by itself" in history.failed.message


def test_a_deleted_run_is_gone_at_once_and_the_next_one_trains(runs, submit, tmp_path):
    first, second = submit(LONG), submit(SHORT)
    follow(runs, first, lambda history: history.epochs)
    path = runs.folder(first).path
    runs.delete(first)
    assert not path.exists()
    assert first not in {path.name for path in runs.settings.runs_dir.iterdir()}
    for ask in (runs.folder, runs.delete, runs.resume, lambda token: follow(runs, token)):
        with pytest.raises(RunError, match="not here any more"):
            ask(first)
    assert follow(runs, second).finished
    runs.delete(second)
    assert not list(runs.settings.runs_dir.glob(".gone-*"))


def test_a_run_whose_process_is_only_just_starting_is_deleted_as_soon_as_it_has(runs, submit, monkeypatch):
    """The server that runs are forked from takes seconds to start, for which the first run waits."""
    starting, asked, go = (threading.Event() for _ in range(3))
    process, trainer = runs._worker._context.Process, runs._worker
    start, kill = process.start, trainer.kill

    def slowly(self):
        starting.set()
        go.wait()
        start(self)

    def ask(path):
        kill(path)
        asked.set()

    monkeypatch.setattr(process, "start", slowly)
    monkeypatch.setattr(trainer, "kill", ask)
    token = submit(LONG)
    path = runs.folder(token).path
    assert starting.wait(120)
    deleting = threading.Thread(target=runs.delete, args=[token], daemon=True)
    deleting.start()
    assert asked.wait(120)
    go.set()
    deleting.join(120)
    assert not deleting.is_alive()
    assert not path.exists()


def test_a_process_is_killed_for_its_own_run_only(tmp_path, swapped, tiny_folder):
    trainer, folder = process.WorkerProcess(Settings(runs_dir=tmp_path)), RunFolder(tmp_path / TOKEN)
    folder.create(Job(str(tiny_folder()), LONG), swapped)
    trained = []

    def expect(_):
        trained.append(len(folder.history().steps))
        trainer.kill(tmp_path / ("b" * 32))
        if trained[-1] > trained[0]:  # it has gone on since
            trainer.kill(folder.path)

    assert trainer.run(folder, expect) == Failed(process.KILLED, "interrupted")
    assert trained[-1] > trained[0]


def test_a_visitor_has_limits_and_others_do_not_feel_them(tmp_path, swapped, tiny_folder):
    runs = RunManager(Settings(runs_dir=tmp_path, max_runs_waiting=2, max_runs_an_hour=3))
    job = Job(str(tiny_folder()), LONG)
    tokens = [runs.submit(job, swapped, "a") for _ in range(2)]
    follow(runs, tokens[0], lambda history: history.steps)  # it is not in the queue any more
    with pytest.raises(RunError, match="2 runs that wait or train"):
        runs.submit(job, swapped, "a")
    tokens.append(runs.submit(job, swapped, "b"))
    assert (runs.position(tokens[2]).number, runs.position(tokens[1]).number) == (1, 2)  # b's first before a's second
    for token in tokens[:2]:
        runs.stop(token)
        follow(runs, token)
    tokens.append(runs.submit(job, swapped, "a"))
    runs.stop(tokens[3])
    follow(runs, tokens[3])
    for ask in (lambda: runs.submit(job, swapped, "a"), lambda: runs.resume(tokens[0], "a")):
        with pytest.raises(RunError, match="3 runs within an hour"):
            ask()
    runs.stop(tokens[2])
    follow(runs, tokens[2])


def test_a_wrong_file_in_place_of_a_model_is_no_run_that_was_begun(tmp_path, swapped, tiny_folder):
    runs = RunManager(Settings(runs_dir=tmp_path / "runs", max_runs_an_hour=1))
    (tmp_path / "mine.zip").write_text("no model")
    with pytest.raises(ModelError, match="not a ZIP that mtst has made"):
        runs.store_model(tmp_path / "mine.zip", "a")
    with pytest.raises(RunError, match="You have uploaded 1 models within an hour"):
        runs.store_model(tmp_path / "mine.zip", "a")
    assert follow(runs, runs.submit(Job(str(tiny_folder()), SHORT), swapped, "a")).finished


def test_a_full_folder_takes_no_more_runs(tmp_path, swapped):
    runs = RunManager(Settings(runs_dir=tmp_path, max_folder_gb=1e-6))
    (tmp_path / "big").write_bytes(b"x" * 2000)
    with pytest.raises(RunError, match="no room"):
        runs.submit(Job("all-MiniLM-L6-v2", SHORT), swapped)


def test_runs_that_waited_when_the_app_went_train_when_it_is_back(tmp_path, swapped, tiny_folder):
    token, other = TOKEN, "b" * 32
    RunFolder(tmp_path / token).create(Job(str(tiny_folder()), TrainConfig(epochs=1)), swapped)
    resumed = RunFolder(tmp_path / other)
    resumed.create(Job(str(tiny_folder()), TrainConfig(epochs=1)), swapped)
    with resumed.event_log() as log:
        log.write(Failed("killed", "interrupted"))
        log.write(Resumed(0, 0))
    runs = RunManager(Settings(runs_dir=tmp_path))
    assert follow(runs, token).finished
    assert follow(runs, other).finished


def test_two_processes_never_write_one_log(tmp_path):
    folder = unfinished_run(tmp_path / TOKEN)
    with folder.event_log(), pytest.raises(RunError, match="another process"):
        folder.event_log()
    with folder.event_log() as log:
        log.write(Failed("free again"))


def test_the_log_tells_each_state_and_no_token(runs, submit, caplog):
    caplog.set_level(logging.INFO)
    token = submit(SHORT)
    follow(runs, token)
    runs.delete(token)
    lines = [json.loads(record.message) for record in caplog.records if record.name == "mtst.runs.manager"]
    (run,) = {line["run"] for line in lines if line["state"] == "queued"}  # that of an earlier test may end just now
    assert [line["state"] for line in lines if line["run"] == run] == ["queued", "started", "finished", "deleted"]
    assert token not in caplog.text


def test_a_run_that_cannot_begin_says_why(runs, submit, tmp_path):
    history = follow(runs, submit(SHORT, encoder=str(tmp_path)))
    assert "not a text encoder" in history.failed.message


def test_runs_wait_for_their_turn(runs, submit):
    first, second, third = submit(LONG), submit(SHORT), submit(SHORT)
    follow(runs, first, lambda history: history.steps)
    assert [runs.position(token) and runs.position(token).number for token in (first, second, third)] == [None, 1, 2]
    assert not runs.folder(second).history().has_started
    runs.stop(first)
    assert follow(runs, third).finished
    assert follow(runs, first).finished.stopped
    assert follow(runs, second).finished
    assert runs.position(first) is None


def test_a_run_that_vanishes_while_it_waits_does_not_hold_up_the_others(tmp_path, swapped, tiny_folder):
    runs = RunManager(Settings(runs_dir=tmp_path))
    first, second, third = (runs.submit(Job(str(tiny_folder()), config), swapped) for config in (LONG, SHORT, SHORT))
    follow(runs, first, lambda history: history.steps)
    shutil.rmtree(runs.folder(second).path)
    runs.stop(first)
    assert follow(runs, third).finished


def test_an_unknown_scenario_is_refused_before_it_waits(runs, swapped):
    before = set(runs.settings.runs_dir.iterdir())
    with pytest.raises(SettingsError, match="'unfreeze'"):
        runs.submit(Job("all-MiniLM-L6-v2", TrainConfig("unfreeze")), swapped)
    assert set(runs.settings.runs_dir.iterdir()) == before


@pytest.mark.parametrize(
    "token", ["", None, "../x", "..", "/", "x", TOKEN, TOKEN + "\n", "a" * 31, "é" * 32, 7, "a/" * 16]
)
def test_an_unknown_or_ill_formed_token_is_refused(runs, token):
    for ask in (runs.folder, runs.stop, lambda token: follow(runs, token)):
        with pytest.raises(RunError, match="not here any more" if token else "no run yet"):
            ask(token)


def test_a_token_never_leads_out_of_the_folder(tmp_path):
    unfinished_run(tmp_path / TOKEN)
    inner = RunManager(Settings(runs_dir=tmp_path / "inner"))
    with pytest.raises(RunError):
        inner.folder(f"../{TOKEN}")


@pytest.mark.parametrize("tail", [b"", b'{"kind": "st'])
def test_a_run_that_was_left_open_is_marked_as_failed(tmp_path, tail):
    folder = unfinished_run(tmp_path / TOKEN, StepEnded(1, {"mood": 1.0}, 0.1))
    folder.events_path.write_bytes(folder.events_path.read_bytes() + tail)
    for _ in range(2):
        history = follow(RunManager(Settings(runs_dir=tmp_path)), TOKEN)
        assert "restarted" in history.failed.message
        assert len(history.steps) == 1
    assert folder.events_path.read_bytes().count(b"restarted") == 1


@pytest.mark.parametrize(
    "last", [Finished(0, stopped=False, early=False, proof=(), confusion={}, seconds=1.0), Failed("no")]
)
def test_a_run_that_is_over_stays_as_it_is(tmp_path, last):
    folder = unfinished_run(tmp_path / TOKEN, last)
    before = folder.events_path.read_bytes()
    RunManager(Settings(runs_dir=tmp_path))
    assert folder.events_path.read_bytes() == before


def uploaded_model(path):
    folder = RunFolder(path)
    folder.model_path.mkdir(parents=True)
    folder.create(Job("", TrainConfig(), kind="keep"), None)
    return folder


@pytest.mark.parametrize("make", [lambda path: unfinished_run(path, Failed("no")), uploaded_model])
def test_stopping_what_does_not_run_does_not_keep_it_for_longer(tmp_path, make):
    folder = make(tmp_path / TOKEN)
    runs = RunManager(Settings(runs_dir=tmp_path, run_ttl_hours=2))
    now = time.time()
    for path in [*folder.path.iterdir(), folder.path]:
        os.utime(path, (now - 3600, now - 3600))
    runs.stop(TOKEN)
    assert not folder.stop_requested
    runs.expire(now + 1.5 * 3600)
    assert not folder.path.exists()


def test_only_runs_that_are_old_expire(tmp_path):
    runs = RunManager(Settings(runs_dir=tmp_path, run_ttl_hours=2))
    old, new = unfinished_run(tmp_path / TOKEN), unfinished_run(tmp_path / ("b" * 32))
    unfinished_run(tmp_path / "not a token")
    (tmp_path / "file").write_text("")
    now = time.time()
    for path in [*old.path.iterdir(), old.path]:
        os.utime(path, (now - 3 * 3600, now - 3 * 3600))
    runs.expire(now - 2 * 3600)
    assert old.path.is_dir()
    runs.expire(now)
    assert {path.name for path in tmp_path.iterdir()} == {new.path.name, "not a token", "file"}
    runs.expire(now + 3 * 3600)
    assert not new.path.exists()
    with pytest.raises(RunError, match="2 hours"):
        runs.folder(new.path.name)


def test_a_folder_of_runs_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be made"):
        RunManager(Settings(runs_dir=tmp_path / "file" / "runs"))


def test_what_the_process_of_a_killed_app_still_said_does_not_count_twice(tmp_path, tiny_folder, swapped):
    job = Job(str(tiny_folder()), TrainConfig("freeze-encoder", epochs=2, batch_size=4), "my.csv")
    histories = []
    for name in ("alone", "after another"):
        folder = RunFolder(tmp_path / name)
        folder.create(job, swapped)
        if histories:
            with folder.event_log() as log:
                log.write(histories[0].started)
                log.write(histories[0].steps[0])
        with folder.event_log() as log:
            _train(folder, log, time.monotonic() + 60, 1_000.0)
        histories.append(folder.history())
    alone, after = ([(one.step, one.losses) for one in history.steps] for history in histories)
    assert after == alone
