"""The load of the machine, measured once for all visitors."""

import threading
import time
from typing import NamedTuple

import psutil

MIN_INTERVAL = 2.0  # seconds between two measurements


class ServerLoad(NamedTuple):
    """Use of the processors and of the memory in percent."""

    cpu: float
    memory: float


class LoadMeter:
    """Measures the load between calls that are at least `MIN_INTERVAL` apart."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._measured_at = 0.0
        psutil.cpu_percent()  # starts the interval that the next call measures
        self._load = ServerLoad(0.0, psutil.virtual_memory().percent)

    def read(self) -> ServerLoad:
        """Return the load of the last seconds."""
        with self._lock:
            if time.monotonic() - self._measured_at > MIN_INTERVAL:
                self._load = ServerLoad(psutil.cpu_percent(), psutil.virtual_memory().percent)
                self._measured_at = time.monotonic()
            return self._load
