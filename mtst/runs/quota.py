"""How much one visitor, and all of them together, may ask of a server that trains."""

import threading
import time
from pathlib import Path

from mtst.errors import RunError
from mtst.runs.settings import Settings

HOUR = 3600
Times = dict[str, list[float]]  # when, the oldest first, by visitor


class Quota:
    """Counts what each visitor asked for within the last hour, by any thread; nobody in particular has no limit."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._runs: Times = {}
        self._models: Times = {}

    def take(self, visitor: str, unfinished: int) -> None:
        """Let a visitor, of whom some runs wait or run already, begin one more.

        Raises:
            RunError: that is too many.
        """
        if visitor and unfinished >= self._settings.max_runs_waiting:
            raise RunError(f"You have {unfinished} runs that wait or train, as many as allowed. Stop one, or wait.")
        self._count(self._runs, visitor, "You have begun {} runs within an hour. Begin the next in {} minutes.")

    def take_model(self, visitor: str) -> None:
        """Let a visitor upload one more model, be it one or not: to look into it takes as long.

        Raises:
            RunError: that is too many.
        """
        self._count(self._models, visitor, "You have uploaded {} models within an hour. Upload the next in {} minutes.")

    def _count(self, times: Times, visitor: str, refusal: str) -> None:
        if not visitor:
            return
        with self._lock:
            now = time.monotonic()
            for other in list(times):
                times[other] = [one for one in times[other] if one > now - HOUR]
                if not times[other]:
                    del times[other]
            past = times.setdefault(visitor, [])
            if len(past) >= self._settings.max_runs_an_hour:
                raise RunError(refusal.format(len(past), 1 + int((HOUR - (now - past[0])) / 60)))
            past.append(now)

    def check_room(self) -> None:
        """Make sure that the folder of runs is not full.

        Raises:
            RunError: it is.
        """
        if sum(map(_size, self._settings.runs_dir.rglob("*"))) > 1e9 * self._settings.max_folder_gb:
            raise RunError("This server has no room for another run now. Come back later, or run mtst yourself.")


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0
