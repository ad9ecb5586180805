"""Which view of a run a page follows: of several that it has begun to follow, only the last."""

import threading
from collections import OrderedDict
from itertools import count

MAX_PAGES = 1_000


class Followers:
    """The last turn of each page. Safe to use from any thread."""

    def __init__(self) -> None:
        self._turns = count()
        self._last: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, page: str) -> int:
        """Return a new turn of a page, which ends those before it."""
        with self._lock:
            turn = self._last[page] = next(self._turns)
            self._last.move_to_end(page)
            while len(self._last) > MAX_PAGES:
                self._last.popitem(last=False)
        return turn

    def has_ended(self, page: str, turn: int) -> bool:
        """Return whether the page follows something else by now."""
        with self._lock:
            return self._last.get(page, turn) != turn
