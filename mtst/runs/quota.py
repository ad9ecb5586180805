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
        self._owners: dict[str, str] = {}  # visitors by the tokens of their runs

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

    def own(self, token: str, visitor: str) -> None:
        """Note whose a run is; not longer than this process lives, since nothing on the disk shall tell it."""
        with self._lock:
            self._owners[token] = visitor

    def check_disk_space(self, visitor: str) -> None:
        """Make sure that the folder of runs is below its maximum size, and that a visitor leaves room for others.

        Nobody may keep more than the room that is left: whoever comes first has half of the folder, and never all.

        Raises:
            RunError: it is not, or they do not.
        """
        sizes = {path.name: sum(map(_size, [path, *path.rglob("*")])) for path in self._settings.runs_dir.iterdir()}
        with self._lock:
            self._owners = {token: owner for token, owner in self._owners.items() if token in sizes}
            own = sum(sizes[token] for token, owner in self._owners.items() if visitor and owner == visitor)
        left = 1e9 * self._settings.max_folder_gb - sum(sizes.values())
        if left < 0:
            raise RunError("This server has no room for another run now. Come back later, or run mtst yourself.")
        if own > left:
            raise RunError(
                f"Your runs and models take {own / 1e9:.1f} GB here, more than the {left / 1e9:.1f} GB that are left "
                f"for all. Delete one, or come back when they have expired."
            )


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0
