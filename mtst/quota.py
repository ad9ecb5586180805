"""How much one visitor, and all of them together, may ask of a server that trains."""

import time
from pathlib import Path

from mtst.errors import RunError
from mtst.settings import Settings

HOUR = 3600


class Quota:
    """Counts the runs that each visitor began within the last hour; nobody in particular may begin any number."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._begun: dict[str, list[float]] = {}

    def take(self, visitor: str, unfinished: int) -> None:
        """Let a visitor, of whom some runs wait or run already, begin one more.

        Raises:
            RunError: that is too many.
        """
        if not visitor:
            return
        limits, now = self._settings, time.monotonic()
        self._forget(now - HOUR)
        begun = self._begun.get(visitor, [])
        if unfinished >= limits.max_runs_waiting:
            raise RunError(f"You have {unfinished} runs that wait or train, as many as allowed. Stop one, or wait.")
        if len(begun) >= limits.max_runs_an_hour:
            minutes = 1 + int((HOUR - (now - begun[0])) / 60)
            raise RunError(f"You have begun {len(begun)} runs within an hour. Begin the next in {minutes} minutes.")
        self._begun[visitor] = [*begun, now]

    def _forget(self, before: float) -> None:
        recent = {visitor: [one for one in begun if one > before] for visitor, begun in self._begun.items()}
        self._begun = {visitor: begun for visitor, begun in recent.items() if begun}

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
