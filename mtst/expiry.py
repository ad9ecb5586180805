"""Folders of runs that go: one that a visitor deletes, and those whose time has come."""

import re
import secrets
import shutil
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from mtst.state_log import log_state

TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")  # the name of a run's folder
GONE = ".gone-"  # begins the name of one that is being deleted


def remove(path: Path) -> None:
    """Delete a folder; from the first moment on nobody finds it under its name.

    Raises:
        OSError: it cannot be deleted.
    """
    gone = path.with_name(GONE + secrets.token_hex(8))
    path.rename(gone)
    shutil.rmtree(gone)


def expire(runs_dir: Path, hours: float, now: float, busy: Collection[str]) -> None:
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
                remove(path)
                log_state(path.name, "expired")
