"""How busy the machine is, measured for all who ask at once."""

import threading
import time
from typing import NamedTuple

import psutil

SECONDS = 2.0  # for which a measurement holds


class ServerLoad(NamedTuple):
    """Share of the processors that work and of the memory that is taken, in percent."""

    cpu: float
    memory: float


class LoadMeter:
    """Measures between two calls that are at least `SECONDS` apart."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._measured = 0.0
        psutil.cpu_percent()  # begins the interval that the next call measures
        self._load = ServerLoad(0.0, psutil.virtual_memory().percent)

    def read(self) -> ServerLoad:
        """Return the load of the last seconds."""
        with self._lock:
            if time.monotonic() - self._measured > SECONDS:
                self._load = ServerLoad(psutil.cpu_percent(), psutil.virtual_memory().percent)
                self._measured = time.monotonic()
            return self._load
