"""A process that is online with the small Hub: it calls the functions below on request and returns their results.

`huggingface_hub` reads the address of the Hub when it is imported, so the client of a test's Hub is a process of its
own. Requests and answers are lines of JSON; requests run concurrently.
"""

import json
import os
import subprocess
import sys
import threading
from concurrent.futures import Future
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from mtst.ui.services.encoder_pool import EncoderPool


class Client:
    """The test's side of the process."""

    def __init__(self, endpoint: str, home: Path, **environment: str) -> None:
        """Start it; `home` is the folder of its downloads."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        settings = {"HF_ENDPOINT": endpoint, "HF_HOME": str(home), "HF_HUB_DISABLE_TELEMETRY": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.support.hub_client"],
            env=inherited | settings | environment,
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answers: list[Future] = []
        self._lock = threading.Lock()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.terminate()  # a process that has imported torch takes long to end by itself
        self._process.wait()
        self._listener.join()
        self._process.stdout.close()

    def submit(self, function: str, **arguments: Any) -> Future:
        """Call a function below; its result comes later."""
        with self._lock:
            self._answers.append(Future())
            line = json.dumps({"function": function, "number": len(self._answers) - 1, "arguments": arguments})
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            return self._answers[-1]

    def call(self, function: str, **arguments: Any) -> Any:
        """Call a function below and return its result."""
        return self.submit(function, **arguments).result()

    def _listen(self) -> None:
        for line in self._process.stdout:
            answer = json.loads(line)
            future = self._answers[answer["number"]]
            if "raised" in answer:
                future.set_exception(RuntimeError(answer["raised"]))
            else:
                future.set_result(answer["answer"])
        for future in self._answers:
            if not future.done():
                future.set_exception(RuntimeError("the client has ended"))


def load(name: str) -> dict:
    """Load an encoder; return what it is, or the error, and the progress of the download."""
    from mtst.encoders.loading import load_encoder
    from mtst.errors import EncoderError

    progress: list[tuple[int, int]] = []
    try:
        encoder = load_encoder(name, progress=lambda done, total: progress.append((done, total)))
    except EncoderError as error:
        return {"error": str(error), "progress": progress}
    row = [float(value) for value in encoder.encode(["a good film"])[0]]
    return {"dimension": encoder.dimension, "name": encoder.name, "row": row, "progress": progress}


def train(name: str, folder: str) -> dict:
    """Train everything for an epoch, save, load and predict."""
    from mtst import MultiTaskSentenceTransformer, Task, TrainConfig, fit, load_encoder
    from mtst.data.dataset import Dataset

    tasks = (Task("topic", ("food", "sports")),)
    texts = tuple(f"{word} {number}" for number in range(8) for word in ("soup", "goal"))
    data = Dataset(texts, tasks, {"topic": (0, 1) * 8}, tuple(range(2, 18)))
    model = MultiTaskSentenceTransformer(load_encoder(name), tasks)
    first = [parameter.detach().clone() for parameter in model.encoder.parameters()]
    moved = 0.0
    events = []
    for event in fit(model, data, TrainConfig("train-all", epochs=1)):
        events.append(type(event).__name__)
        changes = (float((now - then).abs().max()) for now, then in zip(model.encoder.parameters(), first, strict=True))
        moved = max(moved, *changes)
    model.save(folder)
    again = MultiTaskSentenceTransformer.load(folder)
    same = bool((again.encode(texts) == model.encode(texts)).all())
    return {"label": again.predict(["a soup"])["topic"].labels[0], "moved": moved, "same": same, "events": events}


def read_dataset(name: str, split: str = "", **limits: float) -> dict:
    """Read a dataset; return its table, or the error."""
    from mtst.data.limits import Limits
    from mtst.data.readers.options import ReadOptions
    from mtst.data.table import read_hub_table
    from mtst.errors import DataError

    try:
        table = read_hub_table(name, Limits(**limits), ReadOptions(sheet=split))
    except DataError as error:
        return {"error": str(error)}
    decisions = [oddity.sentence for oddity in table.decisions]
    return {
        "columns": table.columns, "rows": table.rows, "lines": table.lines, "sheets": table.sheets,
        "sheet": table.sheet, "decisions": decisions,
    }  # fmt: skip


def run_command(*, arguments: list[str]) -> dict:
    """Run the command line; return its exit code and what it prints."""
    from typer.testing import CliRunner

    from mtst.cli import app

    done = CliRunner().invoke(app, arguments)
    return {"code": done.exit_code, "output": done.output}


def embed(name: str, texts: list[str]) -> list[list[float]]:
    """Return the embeddings of some texts, in 32 bits."""
    from mtst.encoders.loading import load_encoder

    return load_encoder(name, fp32=True).encode(texts).tolist()


def info(name: str) -> dict:
    """Return what is known of an encoder before it is loaded."""
    from dataclasses import asdict

    from mtst.encoders.info import encoder_info
    from mtst.errors import EncoderError

    try:
        return asdict(encoder_info(name))
    except EncoderError as error:
        return {"error": str(error)}


@cache
def _pool_up_to(megabytes: float) -> "EncoderPool":
    from tempfile import gettempdir

    from mtst.runs.settings import Settings
    from mtst.ui.services.encoder_pool import EncoderPool

    return EncoderPool(Settings(runs_dir=Path(gettempdir()), max_encoder_mb=megabytes))


def fetch_for(visitor: str, name: str, megabytes: float) -> str | None:
    """Fetch an encoder for a visitor of a server that takes so many megabytes; say what went wrong."""
    from mtst.errors import EncoderError

    try:
        list(_pool_up_to(megabytes).fetch(name, visitor))
    except EncoderError as error:
        return str(error)
    return None


def fetch_and_leave(name: str, megabytes: float) -> None:
    """Begin to fetch an encoder as a visitor does who then closes the page."""
    steps = _pool_up_to(megabytes).fetch(name)
    next(steps)
    steps.close()


def wait_for_downloads() -> None:
    """Wait until nothing is being fetched."""
    for thread in threading.enumerate():
        if thread.name == "fetch":
            thread.join()


def hub_answers(megabytes: float) -> bool:
    """Say whether there is a Hub, which has a minute for its answer."""
    from mtst.encoders.hub import download

    download.PING_TIMEOUT = 60
    return _pool_up_to(megabytes).hub_is_reachable


def limit_files(size: int) -> None:
    """Let no file of this process grow larger, as a full disk would."""
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def _serve() -> None:
    functions = (
        load, train, read_dataset, run_command, embed, info, fetch_for, fetch_and_leave, wait_for_downloads,
        hub_answers, limit_files,
    )  # fmt: skip
    by_name = {function.__name__: function for function in functions}
    lock = threading.Lock()

    def run(function: str, number: int, arguments: dict[str, Any]) -> None:
        try:
            line = json.dumps({"number": number, "answer": by_name[function](**arguments)})
        except Exception as error:  # the test fails with it, instead of waiting for an answer
            line = json.dumps({"number": number, "raised": repr(error)})
        with lock:
            sys.__stdout__.write(line + "\n")
            sys.__stdout__.flush()

    threads = []
    for line in sys.stdin:
        threads.append(threading.Thread(target=run, kwargs=json.loads(line)))
        threads[-1].start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    _serve()
