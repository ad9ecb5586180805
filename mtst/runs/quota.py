"""How much one visitor, and all of them together, may ask of a server that trains."""

import threading
import time
from pathlib import Path

from mtst.errors import RunError
from mtst.runs.settings import Settings

HOUR = 3600
Times = dict[str, list[float]]  # when each visitor asked, the oldest first


class Quota:
    """Counts what each visitor asked for within the last hour; without a visitor's name there is no limit.

    Safe to use from any thread.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._runs: Times = {}
        self._models: Times = {}

    def count_run(self, visitor: str, unfinished: int) -> None:
        """Count one more run of a visitor, of whom `unfinished` runs wait or train.

        Raises:
            RunError: that is too many.
        """
        if visitor and unfinished >= self._settings.max_runs_waiting:
            raise RunError(f"You have {unfinished} runs that wait or train, as many as allowed. Stop one, or wait.")
        self._count(self._runs, visitor, "You have begun {} runs within an hour. Begin the next in {} minutes.")

    def count_model(self, visitor: str) -> None:
        """Count one more uploaded file, also if it turns out to be no model: checking it takes as long.

        Raises:
            RunError: that is too many.
        """
        self._count(self._models, visitor, "You have uploaded {} models within an hour. Upload the next in {} minutes.")

    def _count(self, times: Times, visitor: str, message: str) -> None:
        if not visitor:
            return
        with self._lock:
            now = time.monotonic()
            for name in list(times):
                times[name] = [asked for asked in times[name] if asked > now - HOUR]
                if not times[name]:
                    del times[name]
            recent = times.setdefault(visitor, [])
            if len(recent) >= self._settings.max_runs_an_hour:
                raise RunError(message.format(len(recent), 1 + int((HOUR - (now - recent[0])) / 60)))
            recent.append(now)

    def check_disk_space(self) -> None:
        """Make sure that the folder of runs is below its maximum size.

        Raises:
            RunError: it is not.
        """
        if sum(map(_size, self._settings.runs_dir.rglob("*"))) > 1e9 * self._settings.max_folder_gb:
            raise RunError("This server has no room for another run now. Come back later, or run mtst yourself.")


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0
