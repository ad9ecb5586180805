"""Turns on the processor: whoever has used it least goes next, so a short call waits for one slice of a long one."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from mtst.ui.server.fairness.listeners import check_still_awaited
from mtst.ui.server.visitors import current_visitor

AT_ONCE = 1  # slice, which uses all processors: two would wait for each other's threads
CREDIT_SECONDS = 0.5  # by which those who have just come are ahead of those who compute already


@dataclass(eq=False)
class _Ticket:
    visitor: str
    called: threading.Event = field(default_factory=threading.Event)


class Turns:
    """Lets the threads of several visitors compute in slices. Safe to use from any thread."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._free = at_once
        self._lock = threading.Lock()
        self._waiting: list[_Ticket] = []
        self._present: Counter[str] = Counter()  # slices that wait or are computed, by visitor
        self._seconds: dict[str, float] = {}  # that each visitor who is present has used

    @contextmanager
    def take_current(self) -> Iterator[None]:
        """Take a turn for whoever asked for what this thread does.

        Raises:
            gr.Error: they have left, so that the rest is not computed.
        """
        with self.take(current_visitor()):
            check_still_awaited()
            yield

    @contextmanager
    def take(self, visitor: str) -> Iterator[None]:
        """Wait for a turn of this visitor, and hold it while the block runs."""
        ticket = _Ticket(visitor)
        with self._lock:
            if not self._present[visitor]:
                self._seconds[visitor] = min(self._seconds.values(), default=0.0) - CREDIT_SECONDS
            self._present[visitor] += 1
            self._waiting.append(ticket)
            self._call()
        ticket.called.wait()
        start = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._free += 1
                self._seconds[visitor] += time.monotonic() - start
                self._present[visitor] -= 1
                self._call()
                if not self._present[visitor]:
                    del self._present[visitor], self._seconds[visitor]

    def _call(self) -> None:
        """Call those whose turn it is; of one visitor, whoever came first."""
        while self._free and self._waiting:
            ticket = min(self._waiting, key=lambda each: self._seconds[each.visitor])
            self._waiting.remove(ticket)
            self._free -= 1
            ticket.called.set()
