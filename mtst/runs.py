"""Training runs on a server: submitted, queued, followed, stopped, found again by their token, expired."""

import asyncio
import logging
import multiprocessing
import queue
import re
import secrets
import shutil
import threading
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from multiprocessing import forkserver

from mtst.data import Dataset
from mtst.errors import RunError
from mtst.events import Failed
from mtst.folder import Job, RunFolder
from mtst.history import History
from mtst.scenarios import find_scenario
from mtst.settings import Settings
from mtst.splitting import check_trainable

LOG = logging.getLogger(__name__)
TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")
POLL_SECONDS = 0.25
SWEEP_SECONDS = 600
GRACE_SECONDS = 120  # for a run that is past its time to end by itself


class Runs:
    """All runs of one app: one trains at a time, each in a process of its own, the others wait their turn.

    The process is forked from a server that has torch imported. Its target lives in `mtst.worker`, and `app.py` does
    nothing when it is merely imported, so that a run never starts a second app. A run that ends without a word is
    marked as failed here.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._context = _forkserver()
        self._waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._line: list[str] = []  # tokens that wait or run, in order
        self._lock = threading.Lock()
        try:
            settings.runs_dir.mkdir(mode=0o700, parents=True, exist_ok=True)  # its listing holds the tokens
        except OSError as error:
            raise RunError(f"The folder of runs {settings.runs_dir} cannot be made: {error.strerror}.") from error
        self._mark_interrupted()
        for work in (self._run_all, self._sweep_all):
            threading.Thread(target=work, name=f"runs{work.__name__}", daemon=True).start()

    def submit(self, job: Job, data: Dataset) -> str:
        """Put a run in the queue and return its token, 192 random bits that only its owner knows.

        Raises:
            SettingsError: the scenario is unknown.
            DataError: the data cannot be trained on.
            RunError: it cannot be stored.
        """
        find_scenario(job.config.scenario, data.tasks)
        check_trainable(data)
        token = secrets.token_urlsafe(24)
        RunFolder(self.settings.runs_dir / token).create(job, data)
        with self._lock:
            self._line.append(token)
        self._waiting.put(token)
        return token

    def folder(self, token: str | None) -> RunFolder:
        """Return the folder of a run.

        Raises:
            RunError: the token is none of ours, or its run has expired.
        """
        if not token:
            raise RunError("There is no run yet. Train one first.")
        path = self.settings.runs_dir / token if isinstance(token, str) and TOKEN.fullmatch(token) else None
        if path is None or not (path / "config.json").is_file():
            hours = self.settings.run_ttl_hours
            raise RunError(f"This run is not here any more: runs are kept for {hours:g} hours. Train again.")
        return RunFolder(path)

    def ahead(self, token: str) -> int:
        """Return how many runs come before this one; 0 if it is next, running or over."""
        with self._lock:
            return self._line.index(token) if token in self._line else 0

    def stop(self, token: str) -> None:
        """Ask a run to end within a step, its best model so far kept; one that still waits ends at once.

        Raises:
            RunError: there is no such run.
        """
        folder = self.folder(token)
        with self._lock:
            if token in self._line[1:]:
                self._line.remove(token)
                _close(folder, Failed("It was still waiting for its turn.", stopped=True))
        folder.request_stop()

    async def follow(self, token: str) -> AsyncIterator[History]:
        """Yield the history of a run now and whenever it may look different, until it is over.

        Raises:
            RunError: there is no such run.
        """
        folder = self.folder(token)
        reader, history, shown = folder.reader(), History(), None
        while True:
            fresh = await asyncio.to_thread(reader.read)
            history.extend(fresh)
            now = (self.ahead(token), folder.stop_requested)
            if fresh or now != shown:
                shown = now
                yield history
            if history.over:
                return
            await asyncio.sleep(POLL_SECONDS)

    def _run_all(self) -> None:
        while True:
            token = self._waiting.get()
            folder = RunFolder(self.settings.runs_dir / token)
            try:
                with self._lock:
                    wanted = token in self._line
                if wanted and folder.path.is_dir():
                    self._run(folder)
            except OSError:  # one run's trouble with the disk must not end the queue
                LOG.exception("a run could not be started or closed")
            finally:
                with self._lock:
                    self._line = [waiting for waiting in self._line if waiting != token]

    def _run(self, folder: RunFolder) -> None:
        from mtst import worker

        process = self._context.Process(target=worker.train, args=(folder.path, self.settings.max_minutes))
        process.start()
        process.join(60 * self.settings.max_minutes + GRACE_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()
        why = f"The training process ended without a word (code {process.exitcode}). Nothing was kept; train again."
        _close(folder, Failed(why))

    def _mark_interrupted(self) -> None:
        for path in self.settings.runs_dir.iterdir():
            if TOKEN.fullmatch(path.name) and (path / "config.json").is_file():
                try:
                    _close(RunFolder(path), Failed("The app was restarted before this run had ended. Train again."))
                except (RunError, OSError):  # an unreadable run of an older version must not keep the app from starting
                    LOG.exception("a run could not be read")

    def _sweep_all(self) -> None:
        while True:
            self.expire(time.time())
            time.sleep(SWEEP_SECONDS)

    def expire(self, now: float) -> None:
        """Delete the runs that ended, or last said something, longer ago than the settings keep them."""
        with self._lock:
            busy = set(self._line)
        for path in self.settings.runs_dir.iterdir():
            if path.name in busy:
                continue
            with suppress(FileNotFoundError):  # another sweep was quicker
                said = max((file.stat().st_mtime for file in path.glob("*")), default=path.stat().st_mtime)
                if TOKEN.fullmatch(path.name) and now - said > 3600 * self.settings.run_ttl_hours:
                    shutil.rmtree(path)


def _close(folder: RunFolder, last_word: Failed) -> None:
    """Write a last word for a run that has none."""
    if not folder.history().over:
        with folder.event_log() as log:
            log.write(last_word)


def _forkserver() -> multiprocessing.context.BaseContext:
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["mtst.worker"])
    # It needs seconds to import torch: it starts now, so that the first run does not wait for it.
    threading.Thread(target=forkserver.ensure_running, name="forkserver", daemon=True).start()
    return context
