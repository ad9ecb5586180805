"""The line in which runs wait: one trains at a time, and nobody's second run goes before somebody's first."""

import threading
import time
from collections import Counter, deque
from dataclasses import dataclass
from statistics import median

REMEMBERED = 20  # runs whose length tells how long the next ones may take


@dataclass(frozen=True)
class QueuePosition:
    """Where a run stands: `number` of `of` runs that wait, and the seconds it may take until it starts, if known."""

    number: int
    of: int
    seconds: float | None


@dataclass(frozen=True)
class _Waiting:
    token: str
    visitor: str


class RunQueue:
    """Runs that wait, by token, and the one that runs. Any thread may call it."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._running: _Waiting | None = None
        self._began = 0.0
        self._left: float | None = None
        self._lengths: deque[float] = deque(maxlen=REMEMBERED)
        self._changed = threading.Condition()

    def join(self, token: str, visitor: str = "") -> None:
        """Let a run wait; one without a visitor counts as a visitor of its own."""
        with self._changed:
            self._waiting.append(_Waiting(token, visitor or token))
            self._changed.notify()

    def take(self) -> str:
        """Return the next run as soon as there is one; it runs from now on."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting)
            self._running = self._order()[0]
            self._waiting.remove(self._running)
            self._began, self._left = time.monotonic(), None
            return self._running.token

    def done(self) -> None:
        """Say that the run has ended."""
        with self._changed:
            self._lengths.append(time.monotonic() - self._began)
            self._running = None

    def leave(self, token: str) -> bool:
        """Take a run out of the line; return whether it was waiting there."""
        with self._changed:
            found = [one for one in self._waiting if one.token == token]
            self._waiting = [one for one in self._waiting if one.token != token]
            return bool(found)

    def expect(self, seconds: float | None) -> None:
        """Say how long the run that runs will take from now on."""
        with self._changed:
            self._left = seconds

    def place(self, token: str) -> QueuePosition | None:
        """Return the place of a run that waits; nothing for any other."""
        with self._changed:
            tokens = [one.token for one in self._order()]
            if token not in tokens:
                return None
            number = tokens.index(token) + 1
            return QueuePosition(number, len(tokens), self._wait(number - 1))

    def count(self, visitor: str) -> int:
        """Return how many runs of a visitor wait or run."""
        with self._changed:
            return sum(one.visitor == visitor for one in self._all())

    @property
    def tokens(self) -> list[str]:
        """The runs that wait or run."""
        with self._changed:
            return [one.token for one in self._all()]

    @property
    def running(self) -> str | None:
        with self._changed:
            return self._running.token if self._running else None

    def _all(self) -> list[_Waiting]:
        return [*([self._running] if self._running else []), *self._waiting]

    def _order(self) -> list[_Waiting]:
        """Return the line: by how many runs of the same visitor come before each, and then by arrival."""
        before = Counter([self._running.visitor] if self._running else [])
        turns = []
        for one in self._waiting:
            turns.append(before[one.visitor])
            before[one.visitor] += 1
        return [one for _, one in sorted(zip(turns, self._waiting, strict=True), key=lambda pair: pair[0])]

    def _wait(self, others: int) -> float | None:
        usual = median(self._lengths) if self._lengths else None
        left = self._left
        if left is None and usual is not None:
            left = max(0.0, usual - (time.monotonic() - self._began))
        if left is None or (others and usual is None):
            return None
        return left + others * (usual or 0.0)
