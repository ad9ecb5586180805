"""The queue of runs: one trains at a time, and no visitor's second run goes before another's first."""

import threading
import time
from collections import Counter, deque
from dataclasses import dataclass
from statistics import median

ESTIMATE_STEP = 5.0  # seconds: whoever follows a run is sent the whole view again when its estimate changes
DURATIONS_REMEMBERED = 20  # of the last runs, to estimate how long the next ones take


@dataclass(frozen=True)
class QueuePosition:
    """Where a run stands: `number` of `total` waiting runs, and the seconds until it starts, if known."""

    number: int
    total: int
    seconds: float | None


@dataclass(frozen=True)
class _Entry:
    token: str
    visitor: str


class RunQueue:
    """The runs that wait, by token, and the one that is running. Safe to use from any thread."""

    def __init__(self) -> None:
        self._waiting: list[_Entry] = []
        self._running: _Entry | None = None
        self._started_at = 0.0
        self._remaining: float | None = None
        self._durations: deque[float] = deque(maxlen=DURATIONS_REMEMBERED)
        self._changed = threading.Condition()

    def put(self, token: str, visitor: str = "") -> None:
        """Add a run; one without a visitor counts as a visitor of its own."""
        with self._changed:
            self._waiting.append(_Entry(token, visitor or token))
            self._changed.notify()

    def get(self) -> str:
        """Wait for the next run and return it; it is the running one from now on."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting)
            self._running = self._in_order()[0]
            self._waiting.remove(self._running)
            self._started_at, self._remaining = time.monotonic(), None
            return self._running.token

    def task_done(self) -> None:
        """Note that the running run has ended."""
        with self._changed:
            self._durations.append(time.monotonic() - self._started_at)
            self._running = None

    def remove(self, token: str) -> bool:
        """Remove a waiting run; return whether it was waiting."""
        with self._changed:
            before = len(self._waiting)
            self._waiting = [entry for entry in self._waiting if entry.token != token]
            return len(self._waiting) < before

    def set_remaining(self, seconds: float | None) -> None:
        """Note how long the running run will take from now on, if known."""
        with self._changed:
            self._remaining = seconds

    def position(self, token: str) -> QueuePosition | None:
        """Return the position of a waiting run; None for any other."""
        with self._changed:
            tokens = [entry.token for entry in self._in_order()]
            if token not in tokens:
                return None
            number = tokens.index(token) + 1
            return QueuePosition(number, len(tokens), self._seconds_until(number))

    def count(self, visitor: str) -> int:
        """Return how many runs of a visitor wait or run."""
        with self._changed:
            return sum(entry.visitor == visitor for entry in self._entries())

    @property
    def tokens(self) -> list[str]:
        """The runs that wait or run."""
        with self._changed:
            return [entry.token for entry in self._entries()]

    @property
    def running(self) -> str | None:
        with self._changed:
            return self._running.token if self._running else None

    def _entries(self) -> list[_Entry]:
        return [*([self._running] if self._running else []), *self._waiting]

    def _in_order(self) -> list[_Entry]:
        """Return the waiting runs: first by how many runs of the same visitor come before each, then by arrival."""
        before = Counter([self._running.visitor] if self._running else [])
        turns = []
        for entry in self._waiting:
            turns.append(before[entry.visitor])
            before[entry.visitor] += 1
        return [entry for _, entry in sorted(zip(turns, self._waiting, strict=True), key=lambda pair: pair[0])]

    def _seconds_until(self, number: int) -> float | None:
        """Estimate when the waiting run with that number starts, by the running one and the usual duration."""
        usual = median(self._durations) if self._durations else None
        remaining = self._remaining
        if remaining is None and usual is not None:
            remaining = max(0.0, usual - (time.monotonic() - self._started_at))
        if remaining is None or (number > 1 and usual is None):
            return None
        return ESTIMATE_STEP * round((remaining + (number - 1) * (usual or 0.0)) / ESTIMATE_STEP)
