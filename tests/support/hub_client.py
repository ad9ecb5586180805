"""A process that is online with the small Hub: it loads encoders that it is told to, and says how that went.

`huggingface_hub` reads where the Hub is when it is imported, so what speaks to a Hub of a test is a process of its
own. It takes orders as lines of JSON, several at once, and answers each with a line.
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
    """The process, from the side of a test."""

    def __init__(self, endpoint: str, home: Path, **environment: str) -> None:
        """Start it; `home` is where it keeps what it fetches."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        wanted = {"HF_ENDPOINT": endpoint, "HF_HOME": str(home), "HF_HUB_DISABLE_TELEMETRY": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.support.hub_client"],
            env=inherited | wanted | environment,
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
        self._process.wait()
        self._listener.join()
        self._process.stdout.close()

    def ask(self, what: str, **order: Any) -> Future:
        """Give an order, which is a function below; its answer comes later."""
        with self._lock:
            self._answers.append(Future())
            line = json.dumps({"what": what, "number": len(self._answers) - 1, **order})
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            return self._answers[-1]

    def do(self, what: str, **order: Any) -> Any:
        """Give an order and wait for its answer."""
        return self.ask(what, **order).result()

    def _listen(self) -> None:
        for line in self._process.stdout:
            answer = json.loads(line)
            self._answers[answer["number"]].set_result(answer["answer"])
        for future in self._answers:
            if not future.done():
                future.set_exception(RuntimeError("the client has ended"))


def load(name: str) -> dict:
    """Load an encoder; say what became of it and how the download went on."""
    from mtst.encoders.loading import load_encoder
    from mtst.errors import EncoderError

    told: list[tuple[int, int]] = []
    try:
        encoder = load_encoder(name, progress=lambda *progress: told.append(progress))
    except EncoderError as error:
        return {"error": str(error), "told": told}
    row = [float(value) for value in encoder.encode(["a good film"])[0]]
    return {"dimension": encoder.dimension, "name": encoder.name, "row": row, "told": told}


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


def embed(name: str, texts: list[str]) -> list[list[float]]:
    """Return the embeddings of some texts, in 32 bits."""
    from mtst.encoders.loading import load_encoder

    return load_encoder(name, fp32=True).encode(texts).tolist()


def offer(name: str) -> dict:
    """Say what is known of an encoder before it is loaded."""
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


def fetch_for(who: str, name: str, megabytes: float) -> str | None:
    """Fetch an encoder for a visitor of a server that takes so many megabytes; say what went wrong."""
    from mtst.errors import EncoderError

    try:
        list(_pool_up_to(megabytes).fetch(name, who))
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
    known = load, train, embed, offer, fetch_for, fetch_and_leave, wait_for_downloads, hub_answers, limit_files
    orders = {function.__name__: function for function in known}
    lock = threading.Lock()

    def follow(what: str, number: int, **order: Any) -> None:
        answer = orders[what](**order)
        with lock:
            sys.__stdout__.write(json.dumps({"number": number, "answer": answer}) + "\n")
            sys.__stdout__.flush()

    threads = []
    for line in sys.stdin:
        threads.append(threading.Thread(target=follow, kwargs=json.loads(line)))
        threads[-1].start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    _serve()
