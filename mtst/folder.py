"""A run is a folder: the job, the data, the events as they come, the checkpoint, the best model.

Nothing is ever half-written: a file is replaced by a whole one, or a line is added to it.
"""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

from filelock import FileLock, Timeout
from pydantic import TypeAdapter, ValidationError

from mtst.checkpoint import reached
from mtst.config import TrainConfig
from mtst.data import Dataset
from mtst.errors import RunError
from mtst.events import Event, StepEnded, from_json, to_json
from mtst.history import History

FLUSH_SECONDS = 0.2
ORPHAN_SECONDS = 600  # to wait for the process of an app that is gone: it notices within a step
UNREADABLE = "This run was written by another version, or was damaged. Train again."
Content = TypeVar("Content")


@dataclass(frozen=True)
class Job:
    """What a run is asked to do, next to its data, and how the data were chosen from their file.

    Attributes:
        encoder: the name that the encoder is loaded by.
        config: how to train.
        source: the file's name.
        text: the column of the sentences.
        header: whether the file's first row names its columns.
        merge: whether labels that differ only in case and blanks were made one.
        leave_out: the lines of the file that were left out by choice.
        fp32: whether matrices are multiplied in 32 bits even where bf16 is quicker.
        kind: whether to train, or to look for learning rates.
    """

    encoder: str
    config: TrainConfig
    source: str = ""
    text: str = "text"
    header: bool = True
    merge: bool = False
    leave_out: tuple[int, ...] = ()
    fp32: bool = False
    kind: Literal["train", "rates"] = "train"


_JOB = TypeAdapter(Job)
_DATA = TypeAdapter(Dataset)


class RunFolder:
    """The files of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.events_path = path / "events.jsonl"
        self.model_path = path / "best"
        self.report_path = path / "report.json"
        self.checkpoint_path = path / "checkpoint.safetensors"
        self._stop = path / "stop"

    def create(self, job: Job, data: Dataset) -> None:
        """Write what the run needs.

        Raises:
            RunError: the disk does not take it.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True)
            _write(self.path / "data.json", _DATA.dump_json(data))
            _write(self.path / "config.json", _JOB.dump_json(job, indent=1))
        except OSError as error:
            raise RunError(f"The run cannot be stored: {error.strerror or error}.") from error

    def job(self) -> Job:
        """Return what the run is asked to do.

        Raises:
            RunError: it cannot be read.
        """
        return _read(_JOB, self.path / "config.json")

    def data(self) -> Dataset:
        """Return the run's data.

        Raises:
            RunError: it cannot be read.
        """
        return _read(_DATA, self.path / "data.json")

    def write_report(self, report: dict[str, Any]) -> None:
        """Keep the report of the run."""
        _write(self.report_path, json.dumps(report, indent=1, ensure_ascii=False).encode())

    @property
    def has_model(self) -> bool:
        """Whether there is a model, saved or in a checkpoint."""
        return self.model_path.is_dir() or self.checkpoint_path.exists()

    @property
    def saved(self) -> Mapping[str, Any] | None:
        """How far the checkpoint has come, if there is one; its epoch is that after which the run can go on.

        Raises:
            RunError: it cannot be read.
        """
        return reached(self.checkpoint_path) if self.checkpoint_path.exists() else None

    @property
    def stop_requested(self) -> bool:
        return self._stop.exists()

    def request_stop(self) -> None:
        self._stop.touch()

    def withdraw_stop(self) -> None:
        self._stop.unlink(missing_ok=True)

    def event_log(self, patience: float = 0.0) -> "EventLog":
        """Return the log, for one process at a time.

        Args:
            patience: seconds to wait for another process that has it.

        Raises:
            RunError: another process still has it then.
        """
        return EventLog(self.events_path, patience)

    def reader(self) -> "EventReader":
        return EventReader(self.events_path)

    def history(self) -> History:
        """Return all that happened so far."""
        history = History()
        history.extend(self.reader().read())
        return history


class EventLog:
    """Appends events, one line each; what was written is on its way to readers within `FLUSH_SECONDS`.

    Steps may be lost when a machine stops; what ends an epoch or a run is on the disk when `write` returns.
    """

    def __init__(self, path: Path, patience: float) -> None:
        self._lock = FileLock(path.with_suffix(".lock"), timeout=patience)  # the system lets go when a process ends
        try:
            self._lock.acquire()
        except Timeout as error:
            raise RunError("This run is in the hands of another process.") from error
        _cut_half_line(path)
        self._file = path.open("ab")
        self._flushed = time.monotonic()

    def write(self, event: Event) -> None:
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
    """Take away what a killed process left without a line end, so that the next event is a line of its own."""
    if path.exists():
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.truncate(path, whole)


class EventReader:
    """Reads events that are still being appended: each call returns those that are new and complete."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def read(self) -> list[Event]:
        """Return the events that came since the last call.

        Raises:
            RunError: a line is not an event.
        """
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            file.seek(self._offset)
            fresh = file.read()
        complete = fresh[: fresh.rfind(b"\n") + 1]
        self._offset += len(complete)
        try:
            return [from_json(line) for line in complete.splitlines()]
        except ValidationError as error:
            raise RunError(UNREADABLE) from error


def _read(kind: TypeAdapter[Content], path: Path) -> Content:
    try:
        return kind.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise RunError(UNREADABLE) from error


def _write(path: Path, content: bytes) -> None:
    """Write a file so that it is either whole or absent."""
    staging = path.with_suffix(".part")
    with staging.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(staging, path)
