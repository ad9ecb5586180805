"""Presses of one button in quick succession, of which only the first counts."""

import threading
import time

MOMENT_SECONDS = 2.0


class Presses:
    """Remembers when something was pressed last, by the page that it was pressed on. Safe to use from any thread."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}
        self._lock = threading.Lock()

    def is_first(self, page: str) -> bool:
        """Note a press; return whether the one before it was longer ago than a moment."""
        now = time.monotonic()
        with self._lock:
            self._last = {known: at for known, at in self._last.items() if now - at < MOMENT_SECONDS}
            return self._last.setdefault(page, now) == now

    def forget(self, page: str) -> None:
        """Let the next press count, since the last one did nothing."""
        with self._lock:
            self._last.pop(page, None)
