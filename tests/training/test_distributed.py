"""Two processes train as one does, and fail together. They are started once, for all cases."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.distributed import TCPStore

import mtst
from mtst.errors import MtstError
from mtst.training.distributed import SINGLE_PROCESS, ProcessGroup, launched_process_group

# What a process does: every case from the same weights, without dropout; what it saw goes to a file of its own.
WORK = """
import hashlib, json, sys
from glob import glob
from datetime import timedelta
import torch
from torch import distributed
from mtst.training.config import TrainConfig
from mtst.data.dataset import Dataset
from mtst.encoders.loading import load_encoder
from mtst.training.events import EpochEnded, StepEnded
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.data.tasks import Task
from mtst.training.distributed import ProcessGroup, launched_process_group
from mtst.errors import MtstError, PeerError
from mtst.training.fitting import fit


def fail():
    raise MtstError("no such file")


def outcome(function):
    try:
        return function()
    except MtstError as error:
        return type(error).__name__ + ": " + str(error)


def in_second_process(group):
    with group.fail_together():
        if not group.is_main:
            fail()
    return "not reached"


def work(job, join, leave=lambda: None):
    data = Dataset(
        tuple(job["texts"]),
        tuple(Task(name, tuple(labels)) for name, labels in job["tasks"]),
        {name: tuple(labels) for name, labels in job["labels"].items()},
        tuple(range(len(job["texts"]))),
    )
    told = {}
    for number, (name, config) in enumerate(job["cases"].items()):
        group = join(number)
        model = MultiTaskSentenceTransformer(load_encoder(job["encoder"], fp32=True), data.tasks)
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        config["open_groups"] = tuple(config.get("open_groups", ()))
        steps, epochs = [], []
        try:
            for event in fit(model, data, TrainConfig(**config), baselines=not number, process_group=group):
                if isinstance(event, StepEnded):
                    steps.append(event.losses)
                if isinstance(event, EpochEnded):
                    sides = {"train": event.train, "validation": event.validation}
                    losses = {side: {task: found.loss for task, found in some.items()} for side, some in sides.items()}
                    epochs.append({**losses, "drift": event.drift, "weights": event.weights})
        except Exception as error:
            told[name] = {"error": repr(error)}
            continue
        finally:
            leave()  # whoever waits for this one stops waiting
        digest = hashlib.sha256()
        for parameter in model.parameters():
            digest.update(parameter.detach().numpy().tobytes())
        told[name] = {"steps": steps, "epochs": epochs, "best": event.best_epoch, "digest": digest.hexdigest()}
    return told


if __name__ == "__main__":
    _, path, rank = sys.argv
    with launched_process_group() as group:
        if distributed.is_initialized():
            distributed.barrier()  # whoever left before the other has arrived would be waited for
        outcomes = [
            outcome(lambda: group.run_on_main(lambda: [group.rank, "made by the main process"])),
            outcome(lambda: group.run_on_main(fail)),
            outcome(lambda: in_second_process(group)),
        ]
        load_encoder(json.loads(open(path).read())["encoder"])  # it must not hold the group
    threads = [open(place).read() for place in glob("/proc/self/task/*/comm")]

    def join(number):
        place = {"init_method": f"file://{path}.group.{number}", "rank": int(rank), "world_size": 2}
        place["timeout"] = timedelta(seconds=60)
        distributed.init_process_group("gloo", **place)
        distributed.barrier()
        return ProcessGroup(distributed.get_rank(), distributed.get_world_size())

    told = work(json.loads(open(path).read()), join, distributed.destroy_process_group)
    told["group"] = [group.rank, group.world_size]
    told["outcomes"] = outcomes
    told["listening"] = sum("gloo" in name for name in threads)
    open(f"{path}.{rank}", "w").write(json.dumps(told))
"""

ROWS = 14
CASES = {
    "heads": {"scenario": "freeze-encoder"},
    "top": {"scenario": "top-k", "top_blocks": 1},
    "all": {"scenario": "train-all"},
    "gradual": {"scenario": "gradual", "epochs": 4},
    "adapters": {"scenario": "lora"},
    "weights of classes": {"scenario": "train-all", "balance": "class-weights", "label_smoothing": 0.1},
    "learned weights": {"scenario": "freeze-encoder", "learn_weights": True},
    "one row left": {"scenario": "freeze-encoder", "batch_size": 11},
    "one row each": {"scenario": "freeze-encoder", "batch_size": 1},
    "one row left, all": {"scenario": "train-all", "batch_size": 11},
}


def started(script, path, rank, port):
    place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    environment = os.environ | {name: str(value) for name, value in place.items()}
    environment |= {
        "ACCELERATE_USE_CPU": "true",
        "OMP_NUM_THREADS": "1",
        "TORCHELASTIC_USE_AGENT_STORE": "True",
        "GLOO_SOCKET_IFNAME": "lo",
    }  # as `accelerate launch --cpu` does
    environment["PYTHONPATH"] = str(Path(mtst.__file__).parents[1])
    command = [sys.executable, str(script), str(path), str(rank)]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def runs(tiny_folder, tmp_path_factory):
    """What two processes saw, and one, by case."""
    folder = tmp_path_factory.mktemp("group")
    script, path = folder / "work.py", folder / "job"
    script.write_text(WORK)
    texts = [f"{'a storm' if n % 3 else 'the feast'} and {'the ' * (n % 5)}{chr(97 + n)}" for n in range(ROWS)]
    job = {
        "encoder": str(tiny_folder("bert", blocks=3)),
        "texts": texts,
        "tasks": [["mood", ["glad", "sad"]], ["topic", ["x", "y", "z"]]],
        "labels": {"mood": [int(n % 3 == 0) for n in range(ROWS)], "topic": [(n % 4) - 1 for n in range(ROWS)]},
        "cases": {
            name: {"epochs": 2, "batch_size": 4, "head_rate": 0.03, "encoder_rate": 1e-3, "seed": 2} | config
            for name, config in CASES.items()
        },
    }
    path.write_text(json.dumps(job))
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)  # a port that nobody else can take
    processes = [started(script, path, rank, store.port) for rank in (0, 1)]
    work: dict = {"__name__": "work"}
    exec(compile(WORK, "work", "exec"), work)
    try:
        alone = work["work"](json.loads(path.read_text()), lambda _number: SINGLE_PROCESS)
        said = [process.communicate(timeout=240)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [process.returncode for process in processes] == [0, 0], said
    return alone, [json.loads(Path(f"{path}.{rank}").read_text()) for rank in (0, 1)]


def test_a_launched_process_knows_its_place(runs):
    assert [told["group"] for told in runs[1]] == [[0, 2], [1, 2]]


def test_processes_share_what_the_main_one_returns_and_fail_together(runs):
    main, other = (told["outcomes"] for told in runs[1])
    assert main[0] == other[0] == [0, "made by the main process"]
    assert main[1:] == ["MtstError: no such file"] * 2
    assert other[1:] == ["PeerError: no such file"] * 2


def test_a_process_that_has_left_its_group_has_no_thread_of_it(runs):
    """A process that ended while such threads ran was now and then aborted."""
    assert [told["listening"] for told in runs[1]] == [0, 0]


def test_a_row_is_left_alone_where_it_should_be(runs):
    """Of 12 rows to train with, batches of 11 leave one, of which the second process has no part."""
    assert len(runs[0]["one row left"]["steps"]) == 2 * 2


@pytest.mark.parametrize("case", CASES)
def test_two_processes_train_as_one_does(runs, case):
    alone, together = runs[0][case], [told[case] for told in runs[1]]
    assert [told.get("error") for told in together] == [None, None]
    assert together[0] == together[1]  # the weights too, bit by bit
    found = together[0]
    assert found["best"] == alone["best"]
    assert len(found["steps"]) == len(alone["steps"]) > 0
    for some, others in zip(found["steps"], alone["steps"], strict=True):
        assert some == pytest.approx(others, rel=1e-3, abs=1e-4)
    for some, others in zip(found["epochs"], alone["epochs"], strict=True):
        for part in ("train", "validation", "weights"):
            assert some[part] == pytest.approx(others[part], rel=1e-3, abs=1e-4)
        assert some["drift"] == pytest.approx(others["drift"], abs=1e-4)


# --- what needs no other process


def test_a_process_without_launcher_is_alone(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with launched_process_group() as group:
        assert group is SINGLE_PROCESS
    monkeypatch.setenv("WORLD_SIZE", "1")
    with launched_process_group() as group:
        assert (group.rank, group.world_size) == (0, 1)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize("count", [0, 1, 4, 7])
def test_the_shares_of_a_batch_are_the_whole_batch(count, size):
    places = [10 + n for n in range(count)]
    rows = torch.randn(10 + count, 3)
    groups = [ProcessGroup(rank, size) for rank in range(size)]
    shares = [group.shard(places) for group in groups]
    assert sorted(place for share in shares for place in share) == places
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    whole = [group.pad_shard(rows[list(share)], count) for group, share in zip(groups, shares, strict=True)]
    torch.testing.assert_close(sum(whole), rows[10:])


def test_every_piece_of_work_is_done_by_one_process():
    for number in range(7):
        assert sum(ProcessGroup(rank, 3).owns(number) for rank in range(3)) == 1


def test_one_process_adds_up_nothing():
    values = torch.ones(3)
    parameter = torch.nn.Parameter(torch.ones(2))
    assert SINGLE_PROCESS.all_reduce(values) is values
    SINGLE_PROCESS.all_reduce_gradients([parameter])
    assert parameter.grad is None


def test_one_process_runs_everything_itself():
    assert SINGLE_PROCESS.run_on_main(lambda: 7) == 7
    with pytest.raises(MtstError, match="as it is"), SINGLE_PROCESS.fail_together():
        raise MtstError("as it is")
