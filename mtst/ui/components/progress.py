"""Long computations whose progress the page shows, and that end when the visitor leaves."""

import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Executor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np
from markupsafe import Markup

from mtst.ui.components.templates import render

if TYPE_CHECKING:
    from mtst.encoders.encoder import Encoder

CHUNK = 512  # sentences between two progress updates
QUIET_SECONDS = 0.5  # before the first update
LARGE = 2_000  # sentences above which a permit is needed, so that a few visitors do not slow down all others
Result = TypeVar("Result")


@dataclass(frozen=True)
class Progress:
    """What is being done, the share of it that is done (None if unknown), and the seconds it has taken."""

    description: str
    share: float | None
    seconds: float

    def html(self) -> Markup:
        """Return a line with a bar, and the remaining time once it can be estimated."""
        left = self.seconds / self.share - self.seconds if self.share else None
        time_text = f"about {_format(left)} left" if left is not None and self.seconds > 2 else _format(self.seconds)
        return render("components/progress", description=self.description, share=self.share, time=time_text)


def _format(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def embed_with_progress(
    encoder: "Encoder", texts: Sequence[str], permits: threading.Semaphore
) -> Generator[Progress, None, np.ndarray]:
    """Embed n texts in chunks; yield the progress, return the embeddings (n, d) as float32.

    More than `LARGE` texts wait for one of the permits first.
    """
    start = time.monotonic()
    if len(texts) <= LARGE:
        return (yield from _embed_chunks(encoder, texts, start))
    while not permits.acquire(timeout=QUIET_SECONDS):
        yield Progress("Waiting while others embed large files", None, time.monotonic() - start)
    try:
        yield Progress(f"0 of {len(texts):,} sentences embedded", 0.0, 0.0)  # the first chunk takes seconds
        return (yield from _embed_chunks(encoder, texts, time.monotonic()))
    finally:
        permits.release()


def _embed_chunks(encoder: "Encoder", texts: Sequence[str], start: float) -> Generator[Progress, None, np.ndarray]:
    embeddings = np.empty((len(texts), encoder.dimension), dtype=np.float32)
    for first in range(0, len(texts), CHUNK):
        chunk = texts[first : first + CHUNK]
        embeddings[first : first + len(chunk)] = encoder.encode(chunk)
        done, seconds = first + len(chunk), time.monotonic() - start
        if seconds > QUIET_SECONDS and done < len(texts):
            yield Progress(f"{done:,} of {len(texts):,} sentences embedded", done / len(texts), seconds)
    return embeddings


def with_progress(
    description: str, work: Callable[[], Result], executor: Executor
) -> Generator[Progress, None, Result]:
    """Run a computation that cannot report its progress; yield the seconds it has taken, return its result.

    Closing the generator cancels work that still waits in the executor. Work that has begun goes on to its end, and
    only then is it the next one's turn.
    """
    submitted = started = time.monotonic()
    future = executor.submit(work)
    try:
        while not wait([future], QUIET_SECONDS).done:
            now = time.monotonic()
            if future.running():
                yield Progress(description, None, now - started)
            else:
                started = now
                yield Progress("Waiting for others to finish", None, now - submitted)
        return future.result()
    finally:
        future.cancel()


class ProgressSteps(Generic[Result]):
    """Iterates over the progress of a computation; afterwards `result` holds what it returned."""

    result: Result

    def __init__(self, steps: Generator[Progress, None, Result]) -> None:
        self._steps = steps

    def __iter__(self) -> Iterator[Progress]:
        self.result = yield from self._steps
