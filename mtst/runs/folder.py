"""A run is a folder: the job, the data, the events as they come, the checkpoint, the best model.

Nothing is ever half-written: a file is replaced by a whole one, or a line is added to it.
"""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from mtst.data.dataset import Dataset
from mtst.errors import RunError
from mtst.evaluation.error_analysis import HeldOutPredictions
from mtst.files import atomic_write
from mtst.runs.event_log import UNREADABLE, EventLog, EventReader
from mtst.runs.history import History
from mtst.runs.job import Job
from mtst.training.engine.checkpoint import read_metadata

ORPHAN_SECONDS = 600  # to wait for the process of an app that is gone: it notices within a step
Content = TypeVar("Content")


_JOB = TypeAdapter(Job)
_DATA = TypeAdapter(Dataset)
_HELD_OUT = TypeAdapter(HeldOutPredictions)


class RunFolder:
    """The files of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.events_path = path / "events.jsonl"
        self.start_path = path / "start"
        self.model_path = path / "best"
        self.report_path = path / "report.json"
        self.checkpoint_path = path / "checkpoint.safetensors"
        self.held_out_path = path / "held_out.json"
        self.embeddings_path = path / "embeddings"
        self._stop = path / "stop"

    def create(self, job: Job, data: Dataset | None, start: Path | None = None) -> None:
        """Write what the run needs; what only keeps a model has no data.

        Args:
            job: what to do.
            data: the rows to do it with.
            start: the folder of the model that training goes on with, on the same disk.

        Raises:
            RunError: the disk does not take it.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=data is None)
            if start:
                shutil.copytree(start, self.start_path, copy_function=os.link)  # nobody writes to these files
            if data is not None:
                _write(self.path / "data.json", _DATA.dump_json(data))
            _write(self.path / "config.json", _JOB.dump_json(job, indent=1))
        except (OSError, shutil.Error) as error:
            raise RunError(f"The run cannot be stored: {getattr(error, 'strerror', None) or error}.") from error

    @property
    def keeps_only(self) -> bool:
        """Whether there is nothing to do but to keep a model."""
        return self.model_path.is_dir() and not (self.path / "data.json").exists()

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

    def write_held_out(self, said: HeldOutPredictions) -> None:
        """Keep what the model says of the held-out rows."""
        _write(self.held_out_path, _HELD_OUT.dump_json(said))

    def held_out(self) -> HeldOutPredictions | None:
        """Return what the model says of the held-out rows, if the run has ended and kept it.

        Raises:
            RunError: it cannot be read.
        """
        return _read(_HELD_OUT, self.held_out_path) if self.held_out_path.exists() else None

    @property
    def has_model(self) -> bool:
        """Whether there is a model, saved or in a checkpoint."""
        return self.model_path.is_dir() or self.checkpoint_path.exists()

    @property
    def checkpoint_metadata(self) -> Mapping[str, Any] | None:
        """How far the checkpoint has come, if there is one; its epoch is that after which the run can go on.

        Raises:
            RunError: it cannot be read.
        """
        return read_metadata(self.checkpoint_path) if self.checkpoint_path.exists() else None

    def zip_path(self, *, onnx: bool) -> Path:
        """Return where the ZIP of the model is kept once it has been asked for."""
        return self.path / ("model-onnx.zip" if onnx else "model.zip")

    @property
    def stop_requested(self) -> bool:
        return self._stop.exists()

    def request_stop(self) -> None:
        self._stop.touch()

    def withdraw_stop(self) -> None:
        self._stop.unlink(missing_ok=True)

    def event_log(self, patience: float = 0.0) -> EventLog:
        """Return the log, for one process at a time.

        Args:
            patience: seconds to wait for another process that has it.

        Raises:
            RunError: another process still has it then.
        """
        return EventLog(self.events_path, patience)

    def reader(self) -> EventReader:
        return EventReader(self.events_path)

    def history(self) -> History:
        """Return the events so far."""
        return History(self.reader().read())


def _read(kind: TypeAdapter[Content], path: Path) -> Content:
    try:
        return kind.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise RunError(UNREADABLE) from error


def _write(path: Path, content: bytes) -> None:
    with atomic_write(path) as staging:
        staging.write_bytes(content)
