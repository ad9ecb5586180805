"""Training runs on a server: submitted, queued, followed, stopped, resumed, found again by their token, deleted."""

import asyncio
import logging
import secrets
import shutil
import threading
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

from mtst.data.dataset import Dataset
from mtst.data.split import check_trainable
from mtst.errors import RunError
from mtst.runs.final_events import FinalEvents
from mtst.runs.folder import RunFolder
from mtst.runs.history import History
from mtst.runs.job import Job
from mtst.runs.queue import QueuePosition, RunQueue
from mtst.runs.quota import Quota
from mtst.runs.settings import Settings
from mtst.runs.store import expire_runs, find_run, left_behind, log_state, remove_run
from mtst.runs.worker.model import store_uploaded_model
from mtst.runs.worker.process import WorkerProcess
from mtst.training.events import Failed, Resumed
from mtst.training.scenarios import find_scenario

LOG = logging.getLogger(__name__)
POLL_SECONDS, TIDY_SECONDS = 0.25, 0.05
SWEEP_SECONDS = 600
RESTARTED = "The app was restarted before this run had ended."


class RunManager:
    """All runs of one app: one trains at a time, each in a process of its own, the others wait their turn.

    A run that ends without a word gets its last word here.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._trainer, self._line, self._quota = WorkerProcess(settings), RunQueue(), Quota(settings)
        self._lock = threading.Lock()  # whoever puts a run in the queue
        self._last_words = FinalEvents()
        try:
            settings.runs_dir.mkdir(mode=0o700, parents=True, exist_ok=True)  # its listing holds the tokens
        except OSError as error:
            raise RunError(f"The folder of runs {settings.runs_dir} cannot be made: {error.strerror}.") from error
        close_all = partial(self._last_words.close_all, self._take_over(), Failed(RESTARTED, "interrupted"))
        for name, work in {"close": close_all, "train": self._run_all, "sweep": self._sweep_all}.items():
            threading.Thread(target=work, name=f"runs: {name}", daemon=True).start()

    def warm_up(self) -> None:
        """Prepare for a run that may come, so that it begins at once; until then it takes no memory."""
        self._trainer.warm_up()

    def submit(self, job: Job, data: Dataset, visitor: str = "", start: str | None = None) -> str:
        """Put a run in the queue and return its token, 192 random bits that only its owner knows.

        Args:
            job: what to do.
            data: the rows to do it with.
            visitor: who asks, for the limits of a visitor; nobody in particular has none.
            start: the token of the model that training goes on with.

        Raises:
            SettingsError: the scenario is unknown.
            DataError: the data cannot be trained on.
            RunError: it cannot be stored, or the visitor has had enough for now.
        """
        begin = self.folder(start).model_path if start else None
        find_scenario(job.config.scenario, data.tasks)
        check_trainable(data)
        self._quota.check_room()
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._quota.take(visitor, self._line.count(visitor))
            RunFolder(self.settings.runs_dir / token).create(job, data, begin)
            self._line.join(token, visitor)
        log_state(token, "queued")
        return token

    def keep(self, archive: Path, visitor: str = "") -> str:
        """Store the model of a visitor's ZIP where their runs are, for as long as runs are kept; return its token.

        Raises:
            ModelError: the ZIP holds no model that mtst has made, or its encoder is not allowed here.
            EncoderError: this server's copy of its encoder cannot be loaded.
            RunError: it cannot be stored, or the visitor has had enough for now.
        """
        self._quota.check_room()
        self._quota.take_model(visitor)
        token = secrets.token_urlsafe(24)
        folder, settings = RunFolder(self.settings.runs_dir / token), self.settings
        store_uploaded_model(archive, folder, settings.base_encoders, settings.max_model_mb)
        log_state(token, "kept")
        return token

    def resume(self, token: str, visitor: str = "") -> None:
        """Let a run that broke off or was stopped wait for its turn again, to go on after its last whole epoch.

        Raises:
            RunError: there is no such run, it cannot go on, or the visitor has had enough for now.
        """
        folder = self.folder(token)
        self._quota.check_room()
        if folder.history().is_over:
            while self._line.running == token:  # its process takes a moment to tidy up
                time.sleep(TIDY_SECONDS)
        with self._lock:
            if not folder.history().is_resumable or token in self._line.tokens:
                raise RunError("This run cannot be resumed: it has not broken off.")
            self._quota.take(visitor, self._line.count(visitor))
            saved = folder.checkpoint_metadata or {"epoch": 0, "step": 0}
            try:
                with folder.event_log() as log:
                    log.write(Resumed(saved["epoch"], saved["step"]))
                folder.withdraw_stop()
                shutil.rmtree(folder.model_path, ignore_errors=True)  # the checkpoint has it too
            except OSError as error:
                raise RunError(f"This run cannot be resumed now: {error.strerror}.") from error
            self._last_words.forget(token)
            self._line.join(token, visitor)
        log_state(token, "queued", resumed_after_epoch=saved["epoch"])

    def folder(self, token: str | None) -> RunFolder:
        """Return the folder of a run.

        Raises:
            RunError: the token is none of ours, or its run has expired.
        """
        return find_run(self.settings, token)

    def history(self, token: str) -> History:
        """Return all that has happened in a run so far.

        Raises:
            RunError: there is no such run, or it cannot be read.
        """
        history = self.folder(token).history()
        if not history.is_over and (word := self._last_words.of(token)):
            history.extend(word)
        return history

    def place(self, token: str) -> QueuePosition | None:
        """Return the place of a run in the queue; nothing if it is running or over."""
        return self._line.place(token)

    @property
    def waiting(self) -> int:
        """How many runs wait."""
        return len(self._line.tokens) - self.training

    @property
    def training(self) -> bool:
        """Whether a run trains."""
        return self._line.running is not None

    def stop(self, token: str) -> None:
        """Ask a run to end within a step, its best model so far kept; one that still waits ends at once.

        Raises:
            RunError: there is no such run.
        """
        folder = self.folder(token)
        if self._line.leave(token):
            self._last_words.close(folder, Failed("It was still waiting for its turn.", "stopped"))
        folder.request_stop()
        log_state(token, "stopping")

    def delete(self, token: str) -> None:
        """Remove a run and all that belongs to it now, whatever state it is in.

        Raises:
            RunError: there is no such run, or its folder cannot be removed.
        """
        path = self.folder(token).path
        self._line.leave(token)
        while self._line.running == token:  # until it has its last word, which goes with the rest
            self._trainer.kill(path)  # again and again: its process may be starting
            time.sleep(TIDY_SECONDS)
        try:
            remove_run(path)
        except OSError as error:
            raise RunError(f"The run could not be removed: {error.strerror}. Try again.") from error
        self._last_words.forget(token)
        log_state(token, "deleted")

    async def follow(self, token: str) -> AsyncIterator[History]:
        """Yield the history of a run now and whenever it may look different, until it is over.

        Raises:
            RunError: there is no such run, or not any more.
        """
        folder = self.folder(token)
        reader, history, shown = folder.reader(), History(), None
        while True:
            fresh = await asyncio.to_thread(reader.read)
            history.extend(fresh)
            if not history.is_over and (word := self._last_words.of(token)):
                history.extend(word)
                fresh = word
            now = (self.place(token), folder.stop_requested)
            if fresh or now != shown:
                shown = now
                yield history
            if history.is_over:
                return
            await asyncio.sleep(POLL_SECONDS)
            if not folder.path.is_dir():
                self.folder(token)

    def _run_all(self) -> None:
        while True:
            token = self._line.take()
            folder = RunFolder(self.settings.runs_dir / token)
            try:
                if folder.path.is_dir():
                    self._run(folder)
            except (OSError, RunError):  # one run's trouble must not end the queue
                LOG.exception("a run could not be started or closed")
            finally:
                self._line.done()

    def _run(self, folder: RunFolder) -> None:
        log_state(folder.path.name, "started")
        last_word = self._trainer.run(folder, self._line.expect)
        if folder.path.is_dir():
            self._last_words.close(folder, last_word)

    def _take_over(self) -> list[RunFolder]:
        """Let the runs wait on that waited when an app before this one went; return those that had begun."""
        waiting, begun = left_behind(self.settings.runs_dir)
        for folder in waiting:
            self._line.join(folder.path.name)
        return begun

    def _sweep_all(self) -> None:
        while True:
            try:
                self.expire(time.time())
            except OSError:  # the next sweep tries again
                LOG.exception("old runs could not be removed")
            time.sleep(SWEEP_SECONDS)

    def expire(self, now: float) -> None:
        """Delete the runs that ended, or last said something, longer ago than the settings keep them."""
        expire_runs(self.settings.runs_dir, self.settings.run_ttl_hours, now, set(self._line.tokens))
