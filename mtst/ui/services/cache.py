"""Values that are costly to load, kept in memory for all visitors: loaded once, the least recently used dropped."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

IDLE_SECONDS = 600  # after which an unused value is dropped
Value = TypeVar("Value")


class LoadOnceCache(Generic[Value]):
    """An LRU cache by key. Each key has a lock of its own, so that loading one value delays no other."""

    def __init__(self, max_size: int) -> None:
        self._max_size = max_size
        self._lock = threading.Lock()  # never held while a value is loaded
        self._key_locks: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()  # while any thread uses them
        self._values: OrderedDict[str, tuple[Value, float]] = OrderedDict()  # with the time of their last use

    def get_or_load(self, key: str, load: Callable[[Value | None], Value]) -> Value:
        """Return the value of a key; `load` gets the cached value or None, and returns it or a replacement."""
        with self._lock:
            key_lock = self._key_locks.setdefault(key, threading.Lock())
        with key_lock:
            with self._lock:
                cached = self._values.pop(key, None)
            value = load(cached[0] if cached else None)
            with self._lock:
                self._values[key] = value, time.monotonic()
                while len(self._values) > self._max_size:
                    self._values.popitem(last=False)
        return value

    def drop(self, key: str) -> None:
        """Remove a value, if it is cached."""
        with self._lock:
            self._values.pop(key, None)

    def drop_idle(self, now: float) -> None:
        """Remove the values that were not used for a while; `now` is a time of `time.monotonic`."""
        with self._lock:
            for key, (_, last_used) in list(self._values.items()):
                if now - last_used > IDLE_SECONDS:
                    del self._values[key]
