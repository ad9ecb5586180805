"""What is costly to load, kept in memory for all visitors: loaded by whoever asks first, the last used few kept."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

IDLE_SECONDS = 600  # after which what nobody uses is dropped
Value = TypeVar("Value")


class LoadOnceCache(Generic[Value]):
    """Values by name. Each name has a door of its own, so that nobody waits while somebody else's is loaded."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()  # never held while something is loaded
        self._doors: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()  # as long as anybody is at one
        self._values: OrderedDict[str, tuple[Value, float]] = OrderedDict()

    def take(self, name: str, load: Callable[[Value | None], Value]) -> Value:
        """Return what has this name; `load` gets what is kept, or none, and returns that or another in its place."""
        with self._lock:
            door = self._doors.setdefault(name, threading.Lock())
        with door:
            with self._lock:
                before = self._values.pop(name, None)
            value = load(before[0] if before else None)
            with self._lock:
                self._values[name] = value, time.monotonic()
                while len(self._values) > self._most:
                    self._values.popitem(last=False)
        return value

    def drop(self, name: str) -> None:
        """Keep this one no longer."""
        with self._lock:
            self._values.pop(name, None)

    def sweep(self, now: float) -> None:
        """Drop what nobody has used for a while; `now` is by `time.monotonic`."""
        with self._lock:
            for name, (_, used) in list(self._values.items()):
                if now - used > IDLE_SECONDS:
                    del self._values[name]
