"""Kill the worker or the whole app at random moments and count what was lost.

python -m tests.bench.soak [--kills 200] [--seed 0]
    small runs are submitted, killed and resumed until each has finished; then its losses, scores and proof are compared
    with those of an uninterrupted run, and its folder is searched for incomplete files

The app is a process of its own here (`RunManager`, which is all of it but the page). Nothing leaves this machine.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from safetensors import safe_open

from mtst.assets import SMALL_SAMPLE
from mtst.data.dataset import Dataset, make_dataset
from mtst.data.table import read_table
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.runs.folder import RunFolder
from mtst.runs.history import History
from mtst.runs.job import Job
from mtst.runs.worker.model import best_model
from mtst.training.config import TrainConfig
from mtst.training.engine.checkpoint import Checkpoint

ROWS = 64
CONFIGS = (
    TrainConfig("train-all", epochs=6, batch_size=16),
    TrainConfig("gradual", epochs=6, batch_size=16),
    TrainConfig("freeze-encoder", epochs=30, batch_size=16),
)
LONGEST_WAIT = 0.7  # from a submission or resumption to the kill, as a share of what an unbroken run takes
APP_SHARE = 0.3  # of the kills hit the app, the others the process that trains
APP = """
import json, sys
from pathlib import Path
from mtst.errors import RunError
from mtst.runs.manager import RunManager
from mtst.runs.settings import Settings
if __name__ == "__main__":
    runs = RunManager(Settings(runs_dir=Path(sys.argv[1])))
    print("ready", flush=True)
    for line in sys.stdin:
        try:
            runs.resume(line.strip())
            print("resumed", flush=True)
        except RunError as error:
            print(f"refused: {error}", flush=True)
"""


class App:
    """An app without its page; it resumes the runs whose tokens it reads from standard input."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._script = folder.parent / "app.py"
        self._script.write_text(APP, encoding="utf-8")
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, self._script, self._folder],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": os.getcwd()},
        )  # fmt: skip
        if self.process.stdout.readline() != "ready\n":
            sys.exit("The app did not start.")

    def resume(self, token: str) -> None:
        self.process.stdin.write(token + "\n")
        self.process.stdin.flush()
        self.process.stdout.readline()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def worker(self) -> psutil.Process | None:
        """Return the process that trains, if there is one."""
        below = psutil.Process(self.process.pid).children(recursive=True)
        return next((child for child in below if child.is_running() and child.nice() >= 10), None)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)  # noqa: S311 (moments, not secrets)
    with tempfile.TemporaryDirectory() as scratch:
        soak(Path(scratch) / "runs", arguments.kills, chance)


def soak(folder: Path, kills: int, chance: random.Random) -> None:
    data = make_dataset(read_table(SMALL_SAMPLE), "text", ["topic", "sentiment"]).take(range(ROWS))
    folder.mkdir(parents=True)
    done = {"worker": 0, "app": 0, "nobody": 0}
    lost: list[str] = []

    def record(losses: list[str]) -> None:
        lost.extend(losses)
        print(*losses, sep="\n", end="\n" * bool(losses), flush=True)  # at once: a soak may be interrupted

    begun = 0
    unbroken, took = {}, []
    for number, config in enumerate(CONFIGS):  # uninterrupted
        run = create(folder, f"unbroken-{number}", config, data)
        app = App(folder)
        began = time.monotonic()
        wait_until(lambda run=run: run.history().is_over)
        took.append(time.monotonic() - began)
        unbroken[number] = run.history()
        app.kill()
    app = App(folder)
    while sum(done.values()) - done["nobody"] < kills:
        number = begun % len(CONFIGS)
        begun += 1
        app.kill()
        run = create(folder, f"run-{begun}", CONFIGS[number], data)
        app.start()  # it finds the run waiting
        while not (history := run.history()).is_finished:
            if history.has_failed:
                record(damage(run))
                app.resume(run.path.name)
            time.sleep(chance.uniform(0.05, LONGEST_WAIT * took[number]))
            if run.history().is_finished:
                done["nobody"] += 1
                break
            if chance.random() < APP_SHARE:
                app.kill()
                done["app"] += 1
                record(damage(run))
                had_begun = not run.history().is_waiting
                app.start()
                if had_begun:  # its process sees that its app is gone
                    wait_until(lambda run=run: run.history().is_over)
            elif worker := app.worker():
                worker.kill()
                done["worker"] += 1
                wait_until(lambda run=run: run.history().is_over)
            print(f"\r{done}, lost {len(lost)}", end="", file=sys.stderr, flush=True)
        record(different(run, unbroken[number], number))
        wait_until(lambda: app.worker() is None)  # it tidies up after its last word
        shutil.rmtree(run.path)
    app.kill()
    print(json.dumps({"kills": done, "runs": begun, "lost": len(lost)}))
    sys.exit(bool(lost))


def create(folder: Path, name: str, config: TrainConfig, data: Dataset) -> RunFolder:
    run = RunFolder(folder / name.ljust(32, "-"))
    run.create(Job("all-MiniLM-L6-v2", config, "sample-small.csv"), data)
    return run


def wait_until(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"Timed out after {seconds:.0f} s.")
        time.sleep(0.05)


def damage(run: RunFolder) -> list[str]:
    """Return what cannot be read of a run that was killed: a file of it, or the best model that it must have."""
    found = []
    try:
        run.history(), run.job(), run.data()
        if run.checkpoint_path.exists():
            Checkpoint.read(run.checkpoint_path)
            if run.history().is_over:
                MultiTaskSentenceTransformer.load(best_model(run))
        for path in run.path.rglob("*.safetensors"):
            with safe_open(path, framework="pt") as file:
                file.keys()
    except Exception as error:
        found.append(f"{run.path.name}: {error!r}")
    return found


def different(run: RunFolder, unbroken: History, number: int) -> list[str]:
    """Return how a run that was interrupted differs from one that was not."""
    history = run.history()
    pairs = {
        "losses": ([step.losses for step in history.steps], [step.losses for step in unbroken.steps]),
        "scores": ([epoch.validation for epoch in history.epochs], [epoch.validation for epoch in unbroken.epochs]),
        "kept epoch": (history.finished.best_epoch, unbroken.finished.best_epoch),
        "proof": (history.finished.proof, unbroken.finished.proof),
    }
    found = [f"{run.path.name} ({CONFIGS[number].scenario}): other {what}" for what, (a, b) in pairs.items() if a != b]
    try:
        MultiTaskSentenceTransformer.load(run.model_path)
        json.loads(run.report_path.read_text())
    except Exception as error:
        found.append(f"{run.path.name}: {error!r}")
    return found


if __name__ == "__main__":
    main()
