"""Many sentences embedded while the page says how far it is; who leaves the page ends it."""

import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Executor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from mtst.text import escape_html

if TYPE_CHECKING:
    from mtst.encoders.encoder import Encoder

CHUNK = 512
QUIET_SECONDS = 0.5  # what takes less is not announced
MANY = 2_000  # sentences from which they wait for a place, so that a few visitors do not slow down all others
_PLACES = threading.Semaphore(2)
Result = TypeVar("Result")


@dataclass(frozen=True)
class Progress:
    """What is being done, which share of it is done (none where nobody knows), and for how many seconds."""

    doing: str
    share: float | None
    seconds: float

    def html(self) -> str:
        """Return a line with a bar, which says how long it may take once that can be told."""
        left = self.seconds / self.share - self.seconds if self.share else None
        told = f"about {_duration(left)} left" if left is not None and self.seconds > 2 else _duration(self.seconds)
        bar = "" if self.share is None else f'<div class="bar"><i style="width: {100 * self.share:.1f}%"></i></div>'
        line = f'<span>{escape_html(self.doing)} …</span><span class="quiet">{told}</span>{bar}'
        return f'<div class="status running" role="status">{line}</div>'


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def embed_with_progress(encoder: "Encoder", texts: Sequence[str]) -> Generator[Progress, None, np.ndarray]:
    """Embed n texts piece by piece; yield the progress, return the embeddings (n, d) as float32."""
    start = time.monotonic()
    if len(texts) <= MANY:
        return (yield from _pieces(encoder, texts, start))
    while not _PLACES.acquire(timeout=QUIET_SECONDS):
        yield Progress("Others embed large files now: this waits for its turn", None, time.monotonic() - start)
    try:
        yield Progress(f"0 of {len(texts):,} sentences embedded", 0.0, 0.0)  # the first of them take seconds
        return (yield from _pieces(encoder, texts, time.monotonic()))
    finally:
        _PLACES.release()


def _pieces(encoder: "Encoder", texts: Sequence[str], start: float) -> Generator[Progress, None, np.ndarray]:
    rows = np.empty((len(texts), encoder.dimension), dtype=np.float32)
    for first in range(0, len(texts), CHUNK):
        part = texts[first : first + CHUNK]
        rows[first : first + len(part)] = encoder.encode(part)
        done, seconds = first + len(part), time.monotonic() - start
        if seconds > QUIET_SECONDS and done < len(texts):
            yield Progress(f"{done:,} of {len(texts):,} sentences embedded", done / len(texts), seconds)
    return rows


def with_progress(doing: str, work: Callable[[], Result], line: Executor) -> Generator[Progress, None, Result]:
    """Do something that cannot say how far it is; yield the seconds that it has taken, return its result.

    Whoever leaves while others in the line are before them leaves nothing behind. What has begun goes on to its end,
    and only then is it the next one's turn.
    """
    asked = begun = time.monotonic()
    future = line.submit(work)
    try:
        while not wait([future], QUIET_SECONDS).done:
            now = time.monotonic()
            if future.running():
                yield Progress(doing, None, now - begun)
            else:
                begun = now
                yield Progress("Others are before you: this waits for its turn", None, now - asked)
        return future.result()
    finally:
        future.cancel()


class ProgressSteps(Generic[Result]):
    """LatestStep to go through, each of which tells the progress, and their result afterwards."""

    def __init__(self, steps: Generator[Progress, None, Result]) -> None:
        self._steps = steps

    def __iter__(self) -> Iterator[Progress]:
        self.result = yield from self._steps
