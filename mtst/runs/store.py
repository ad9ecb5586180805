"""What lies in the folder of runs: the one of a token, and those that an app before this one has left."""

import hashlib
import hmac
import json
import logging
import re
import secrets
import shutil
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from mtst.errors import RunError
from mtst.runs.folder import RunFolder
from mtst.runs.settings import Settings

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
        if history.is_waiting:
            waiting.append(folder)
        elif not history.is_over:
            begun.append(folder)
    return waiting, begun


TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")  # the name of a run's folder
GONE = ".gone-"  # begins the name of one that is being deleted


def remove_run(path: Path) -> None:
    """Delete a folder; from the first moment on nobody finds it under its name.

    Raises:
        OSError: it cannot be deleted.
    """
    gone = path.with_name(GONE + secrets.token_hex(8))
    path.rename(gone)
    shutil.rmtree(gone)


def expire_runs(runs_dir: Path, hours: float, now: float, busy: Collection[str]) -> None:
    """Delete the runs that last said something longer ago than some hours, but for those that are busy.

    Raises:
        OSError: one cannot be deleted.
    """
    for path in runs_dir.glob(GONE + "*"):  # what a killed app has left
        shutil.rmtree(path, ignore_errors=True)
    for path in runs_dir.iterdir():
        if path.name in busy or not TOKEN.fullmatch(path.name):
            continue
        with suppress(FileNotFoundError):  # another sweep was quicker
            said = max((file.stat().st_mtime for file in path.glob("*")), default=path.stat().st_mtime)
            if now - said > 3600 * hours:
                remove_run(path)
                log_state(path.name, "expired")


LOG = logging.getLogger("mtst.runs.manager")


def log_state(token: str, state: str, **more: object) -> None:
    """Log what became of a run, under a name that cannot be turned back into its token."""
    name = hashlib.sha256(token.encode()).hexdigest()[:12]
    LOG.info(json.dumps({"run": name, "state": state} | more))
