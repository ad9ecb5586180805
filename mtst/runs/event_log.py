"""The event log of a run: one event per line, appended by one process at a time, read while it grows."""

import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout
from pydantic import ConfigDict, TypeAdapter, ValidationError

from mtst.comparison.events import ComparisonEvent
from mtst.errors import RunError
from mtst.training.events import StepEnded, TrainingEvent

FLUSH_SECONDS = 0.2
RunEvent = TrainingEvent | ComparisonEvent
_EVENT: TypeAdapter[RunEvent] = TypeAdapter(RunEvent, config=ConfigDict(ser_json_inf_nan="constants"))
UNREADABLE = "This run was written by another version, or was damaged. Train again."


class EventLog:
    """Appends events, one line each; readers see them within `FLUSH_SECONDS`.

    Steps may be lost when the machine stops; every other event is on the disk when `write` returns.
    """

    def __init__(self, path: Path, timeout: float) -> None:
        self._lock = FileLock(path.with_suffix(".lock"), timeout=timeout)  # released by the system when a process ends
        try:
            self._lock.acquire()
        except Timeout as error:
            raise RunError("This run is in the hands of another process.") from error
        _cut_half_line(path)
        self._file = path.open("ab")
        self._flushed = time.monotonic()

    def write(self, event: RunEvent) -> None:
        self._file.write(to_json(event) + b"\n")
        step = isinstance(event, StepEnded)
        if not step or time.monotonic() - self._flushed > FLUSH_SECONDS:
            self._file.flush()
            self._flushed = time.monotonic()
        if not step:
            os.fsync(self._file.fileno())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._file.close()
        finally:
            self._lock.release()


def _cut_half_line(path: Path) -> None:
    """Remove the incomplete line that a killed process has left, so that the next event gets a line of its own."""
    if path.exists():
        content = path.read_bytes()
        complete = content.rfind(b"\n") + 1
        if complete < len(content):
            os.truncate(path, complete)


class EventReader:
    """Reads a log that is still growing: each call returns the events that are new and complete."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def read(self) -> list[RunEvent]:
        """Return the events since the last call.

        Raises:
            RunError: a line is not an event.
        """
        if not self._path.exists():
            return []
        # A single read, no further than the size of the file before it: an incomplete line may be cut and another
        # written in its place meanwhile, and the results of two reads need not fit together.
        with self._path.open("rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(self._offset)
            content = file.read(max(0, size - self._offset))
        complete = content[: content.rfind(b"\n") + 1]
        self._offset += len(complete)
        try:
            return [from_json(line) for line in complete.splitlines()]
        except ValidationError as error:
            raise RunError(UNREADABLE) from error


def to_json(event: RunEvent) -> bytes:
    """Return an event as a line of JSON, without the newline."""
    return _EVENT.dump_json(event)


def from_json(line: bytes) -> RunEvent:
    """Read an event that `to_json` wrote.

    Raises:
        pydantic.ValidationError: the line is not an event.
    """
    return _EVENT.validate_json(line)
