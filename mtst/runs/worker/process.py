"""Run a job in a process of its own, forked from a server that has imported torch."""

import multiprocessing
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess
from pathlib import Path

from mtst.runs.folder import RunFolder
from mtst.runs.history import History
from mtst.runs.settings import Settings
from mtst.training.events import Failed

GRACE_SECONDS = 120  # for a run that is over its time limit to end by itself
POLL_SECONDS = 1
LATE = "The process of this run was ended: its time was up and it did not stop by itself."
KILLED = "The process of this run was killed, as systems do when memory runs short."


class WorkerProcess:
    """Runs one job at a time.

    The target of the process lives in `mtst.runs.worker.main`, and `app.py` does nothing when it is merely imported,
    so that a run never starts a second app.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._context = _context()
        self._running: tuple[Path, BaseProcess] | None = None
        self._lock = threading.Lock()

    def warm_up(self) -> None:
        """Start the server that runs are forked from, which takes seconds, before the first run needs it."""
        if self._context.get_start_method() == "forkserver":
            forkserver.ensure_running()

    def run(self, folder: RunFolder, on_remaining: Callable[[float | None], None]) -> Failed:
        """Wait for the run to end; return the final event of a run that has written none itself.

        Args:
            folder: the run.
            on_remaining: called every second with the remaining seconds, or None while they are unknown.
        """
        from mtst.runs.worker import main

        limits = self._settings
        process = self._context.Process(target=main.train, args=(folder.path, limits.max_minutes, limits.max_memory_gb))
        process.start()
        with self._lock:
            self._running = folder.path, process
        reader, history = folder.event_reader(), History()
        deadline = time.monotonic() + 60 * limits.max_minutes + GRACE_SECONDS
        late = False
        while process.is_alive():
            process.join(POLL_SECONDS)
            if time.monotonic() > deadline:
                late = True
                process.kill()
            history.extend(reader.read())
            on_remaining(history.remaining)
        with self._lock:
            self._running = None
        if late:
            return Failed(LATE, "interrupted")
        if process.exitcode in (-signal.SIGKILL, -signal.SIGABRT):  # libraries abort when they find no memory
            return Failed(KILLED, "interrupted")
        return Failed(f"The training process ended without a word (code {process.exitcode}).")

    def kill(self, path: Path) -> None:
        """Kill the process of the run in a folder; there is none yet while it is being started."""
        with self._lock:
            if self._running and self._running[0] == path:
                self._running[1].kill()


def _context() -> ForkServerContext | SpawnContext:
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["mtst.runs.worker.main"])
    return context
