"""The runs of a server: submit, follow, stop, resume and delete them, each known by its token."""

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
from mtst.runs.store import expire_runs, find_run, log_state, remove_run, unfinished_runs
from mtst.runs.worker.model import store_uploaded_model
from mtst.runs.worker.process import WorkerProcess
from mtst.training.events import Failed, Resumed
from mtst.training.scenarios import find_scenario

LOG = logging.getLogger(__name__)
POLL_SECONDS = 0.25  # between two looks at a log
EXIT_POLL_SECONDS = 0.05  # between two looks whether a process has ended
SWEEP_SECONDS = 600
RESTARTED = "The app was restarted before this run had ended."


class RunManager:
    """All runs of one app: one trains at a time, in a process of its own; the others wait in a queue.

    A run whose process ends without a final event gets one here.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._worker, self._queue, self._quota = WorkerProcess(settings), RunQueue(), Quota(settings)
        self._lock = threading.Lock()  # held to check the quota and queue a run as one step
        self._final_events = FinalEvents()
        try:
            settings.runs_dir.mkdir(mode=0o700, parents=True, exist_ok=True)  # its listing holds the tokens
        except OSError as error:
            raise RunError(f"The folder of runs {settings.runs_dir} cannot be made: {error.strerror}.") from error
        end_orphans = partial(self._final_events.ensure_all, self._requeue(), Failed(RESTARTED, "interrupted"))
        threading.Thread(target=end_orphans, name="runs: end orphans", daemon=True).start()
        threading.Thread(target=self._run_all, name="runs: train", daemon=True).start()
        threading.Thread(target=self._sweep_all, name="runs: sweep", daemon=True).start()

    def warm_up(self) -> None:
        """Start what the first run would have to wait for."""
        self._worker.warm_up()

    def submit(self, job: Job, data: Dataset, visitor: str = "", start: str | None = None) -> str:
        """Queue a run and return its token, 192 random bits that only its owner knows.

        Args:
            job: what to do.
            data: the rows.
            visitor: whose quota the run counts against; none if empty.
            start: the token of the run whose model is trained further.

        Raises:
            SettingsError: the scenario is unknown.
            DataError: the data cannot be trained on.
            RunError: it cannot be stored, or the visitor has reached a limit.
        """
        initial_model = self.folder(start).model_path if start else None
        find_scenario(job.config.scenario, data.tasks)
        check_trainable(data)
        self._quota.check_disk_space(visitor)
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._quota.count_run(visitor, self._queue.count(visitor))
            RunFolder(self.settings.runs_dir / token).create(job, data, initial_model)
            self._quota.own(token, visitor)
            self._queue.put(token, visitor)
        log_state(token, "queued")
        return token

    def store_model(self, archive: Path, visitor: str = "") -> str:
        """Store the model of a visitor's ZIP, for as long as runs are kept; return its token.

        Raises:
            ModelError: the ZIP holds no model that mtst has saved, or its encoder is not allowed here.
            EncoderError: this server's copy of its encoder cannot be loaded.
            RunError: it cannot be stored, or the visitor has reached a limit.
        """
        self._quota.check_disk_space(visitor)
        self._quota.count_model(visitor)
        token = secrets.token_urlsafe(24)
        folder, settings = RunFolder(self.settings.runs_dir / token), self.settings
        store_uploaded_model(archive, folder, settings.base_encoders, settings.max_model_mb)
        self._quota.own(token, visitor)
        log_state(token, "kept")
        return token

    def resume(self, token: str, visitor: str = "") -> None:
        """Queue a run again that was interrupted or stopped; it goes on after its last complete epoch.

        Raises:
            RunError: there is no such run, it cannot be resumed, or the visitor has reached a limit.
        """
        folder = self.folder(token)
        self._quota.check_disk_space(visitor)
        if folder.history().is_over:
            while self._queue.running == token:  # its process is about to exit
                time.sleep(EXIT_POLL_SECONDS)
        with self._lock:
            if not folder.history().is_resumable or token in self._queue.tokens:
                raise RunError("This run cannot be resumed: it has not broken off.")
            self._quota.count_run(visitor, self._queue.count(visitor))
            checkpoint = folder.checkpoint_metadata or {"epoch": 0, "step": 0}
            try:
                with folder.event_log() as log:
                    log.write(Resumed(checkpoint["epoch"], checkpoint["step"]))
                folder.cancel_stop()
                shutil.rmtree(folder.model_path, ignore_errors=True)  # it is in the checkpoint too
            except OSError as error:
                raise RunError(f"This run cannot be resumed now: {error.strerror}.") from error
            self._final_events.discard(token)
            self._queue.put(token, visitor)
        log_state(token, "queued", resumed_after_epoch=checkpoint["epoch"])

    def folder(self, token: str | None) -> RunFolder:
        """Return the folder of a run.

        Raises:
            RunError: the token is not one of ours, or its run has expired.
        """
        return find_run(self.settings, token)

    def history(self, token: str) -> History:
        """Return the history of a run so far.

        Raises:
            RunError: there is no such run, or it cannot be read.
        """
        history = self.folder(token).history()
        if not history.is_over:
            history.extend(self._final_events.get(token))
        return history

    def position(self, token: str) -> QueuePosition | None:
        """Return the position of a run in the queue; None if it is running or over."""
        return self._queue.position(token)

    @property
    def waiting(self) -> int:
        """The number of runs in the queue."""
        return len(self._queue.tokens) - self.running

    @property
    def running(self) -> bool:
        """Whether a run is training."""
        return self._queue.running is not None

    def stop(self, token: str) -> None:
        """Ask a run to end within a step and keep its best model so far; one that still waits ends at once.

        A run that is over stays as it is.

        Raises:
            RunError: there is no such run.
        """
        folder = self.folder(token)
        if token not in self._queue.tokens and (folder.is_model_only or self.history(token).is_over):
            return  # a file that is written anew would keep the run for longer
        if self._queue.remove(token):
            self._final_events.ensure(folder, Failed("It was still waiting for its turn.", "stopped"))
        folder.request_stop()
        log_state(token, "stopping")

    def delete(self, token: str) -> None:
        """Delete a run and its files now, whatever state it is in.

        Raises:
            RunError: there is no such run, or its folder cannot be removed.
        """
        path = self.folder(token).path
        self._queue.remove(token)
        while self._queue.running == token:  # until nothing writes to its folder any more
            self._worker.kill(path)  # repeatedly: its process may be starting
            time.sleep(EXIT_POLL_SECONDS)
        try:
            remove_run(path)
        except OSError as error:
            raise RunError(f"The run could not be removed: {error.strerror}. Try again.") from error
        self._final_events.discard(token)
        log_state(token, "deleted")

    async def follow(self, token: str) -> AsyncIterator[History]:
        """Yield the history of a run now and whenever its display may change, until it is over.

        Raises:
            RunError: there is no such run, or it was deleted.
        """
        folder = self.folder(token)
        reader, history = folder.event_reader(), History()
        yielded: tuple[QueuePosition | None, bool] | None = None
        while True:
            events = await asyncio.to_thread(reader.read)
            history.extend(events)
            if not history.is_over and (final := self._final_events.get(token)):
                history.extend(final)
                events = [*events, *final]
            current = (self.position(token), folder.stop_requested)
            if events or current != yielded:
                yielded = current
                yield history
            if history.is_over:
                return
            await asyncio.sleep(POLL_SECONDS)
            if not folder.path.is_dir():
                self.folder(token)

    def _run_all(self) -> None:
        while True:
            token = self._queue.get()
            folder = RunFolder(self.settings.runs_dir / token)
            try:
                if folder.path.is_dir():
                    self._run(folder)
            except (OSError, RunError):  # an error in one run must not stop the queue
                LOG.exception("a run could not be started or ended")
            finally:
                self._queue.task_done()

    def _run(self, folder: RunFolder) -> None:
        log_state(folder.path.name, "started")
        final_event = self._worker.run(folder, self._queue.set_remaining)
        if folder.path.is_dir():
            self._final_events.ensure(folder, final_event)

    def _requeue(self) -> list[RunFolder]:
        """Queue the runs that waited when an earlier app ended; return those that had begun."""
        waiting, begun = unfinished_runs(self.settings.runs_dir)
        for folder in waiting:
            self._queue.put(folder.path.name)
        return begun

    def _sweep_all(self) -> None:
        while True:
            try:
                self.expire(time.time())
            except OSError:  # the next sweep tries again
                LOG.exception("old runs could not be removed")
            time.sleep(SWEEP_SECONDS)

    def expire(self, now: float) -> None:
        """Delete the runs whose files last changed longer ago than the settings keep them."""
        expire_runs(self.settings.runs_dir, self.settings.run_ttl_hours, now, set(self._queue.tokens))
