"""The folder of all runs: find a run by its token, list unfinished ones, delete old ones."""

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

LOG = logging.getLogger("mtst.runs.manager")
TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")  # the name of a run's folder
DELETED_PREFIX = ".gone-"  # of the name of a folder that is being deleted


def find_run(settings: Settings, token: str | None) -> RunFolder:
    """Return the folder of a run.

    Raises:
        RunError: the token is not one of ours, or its run has expired.
    """
    if not token:
        raise RunError("There is no run yet. Train one first.")
    path = _find_folder(settings.runs_dir, token)
    if path is None or not (path / "config.json").is_file():
        hours = settings.run_ttl_hours
        raise RunError(f"This run is not here any more: runs are kept for {hours:g} hours. Train again.")
    return RunFolder(path)


def _find_folder(runs_dir: Path, token: object) -> Path | None:
    """Return the folder of that name, compared in constant time, so that timing reveals nothing about tokens."""
    if not isinstance(token, str) or not TOKEN.fullmatch(token):
        return None
    match = None
    for path in runs_dir.iterdir():
        if hmac.compare_digest(path.name.encode(), token.encode()):
            match = path
    return match


def unfinished_runs(runs_dir: Path) -> tuple[list[RunFolder], list[RunFolder]]:
    """Return the runs that wait in the queue, the oldest first, and those that have begun and are not over."""
    waiting, begun = [], []
    paths = [path for path in runs_dir.iterdir() if TOKEN.fullmatch(path.name)]
    for path in sorted(paths, key=lambda path: path.stat().st_mtime):
        folder = RunFolder(path)
        if not (path / "config.json").is_file() or folder.is_model_only:
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


def remove_run(path: Path) -> None:
    """Delete the folder of a run; it is renamed first, so that nobody finds it half deleted.

    Raises:
        OSError: it cannot be deleted.
    """
    deleted = path.with_name(DELETED_PREFIX + secrets.token_hex(8))
    path.rename(deleted)
    shutil.rmtree(deleted)


def expire_runs(runs_dir: Path, hours: float, now: float, busy: Collection[str]) -> None:
    """Delete the runs whose files last changed longer ago than `hours`, except those that are busy.

    Raises:
        OSError: one cannot be deleted.
    """
    for path in runs_dir.glob(DELETED_PREFIX + "*"):  # left by an app that was killed
        shutil.rmtree(path, ignore_errors=True)
    for path in runs_dir.iterdir():
        if path.name in busy or not TOKEN.fullmatch(path.name):
            continue
        with suppress(FileNotFoundError):  # another sweep deleted it
            changed = max((file.stat().st_mtime for file in path.glob("*")), default=path.stat().st_mtime)
            if now - changed > 3600 * hours:
                remove_run(path)
                log_state(path.name, "expired")


def log_state(token: str, state: str, **details: object) -> None:
    """Log a new state of a run, under a hash from which its token cannot be recovered."""
    name = hashlib.sha256(token.encode()).hexdigest()[:12]
    LOG.info(json.dumps({"run": name, "state": state} | details))
