"""What lies in the folder of runs: the one of a token, and those that an app before this one has left."""

import hmac
import logging
from pathlib import Path

from mtst.errors import RunError
from mtst.expiry import TOKEN
from mtst.folder import RunFolder
from mtst.settings import Settings

LOG = logging.getLogger(__name__)


def find_run(settings: Settings, token: str | None) -> RunFolder:
    """Return the folder of a run.

    Raises:
        RunError: the token is none of ours, or its run has expired.
    """
    if not token:
        raise RunError("There is no run yet. Train one first.")
    path = _path(settings.runs_dir, token)
    if path is None or not (path / "config.json").is_file():
        hours = settings.run_ttl_hours
        raise RunError(f"This run is not here any more: runs are kept for {hours:g} hours. Train again.")
    return RunFolder(path)


def _path(place: Path, token: object) -> Path | None:
    """Return the folder of that name, compared in constant time: how long it takes tells nothing of a token."""
    if not isinstance(token, str) or not TOKEN.fullmatch(token):
        return None
    found = None
    for path in place.iterdir():
        if hmac.compare_digest(path.name.encode(), token.encode()):
            found = path
    return found


def left_behind(place: Path) -> tuple[list[RunFolder], list[RunFolder]]:
    """Return the runs that wait for their turn, the oldest first, and those that have begun and are not over."""
    waiting, begun = [], []
    found = [path for path in place.iterdir() if TOKEN.fullmatch(path.name)]
    for path in sorted(found, key=lambda path: path.stat().st_mtime):
        folder = RunFolder(path)
        if not (path / "config.json").is_file() or folder.keeps_only:
            continue
        try:
            history = folder.history()
        except (RunError, OSError):  # an unreadable run of an older version must not keep the app from starting
            LOG.exception("a run could not be read")
            continue
        if history.waiting:
            waiting.append(folder)
        elif not history.over:
            begun.append(folder)
    return waiting, begun
