"""A run is a folder: the job, the data, the event log, the checkpoint, the best model.

Nothing is ever half-written: a file is replaced as a whole, or a line is appended to it.
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

ORPHAN_SECONDS = 600  # to wait for the process of an app that is gone, which notices that within a step
Content = TypeVar("Content")

_JOB = TypeAdapter(Job)
_DATA = TypeAdapter(Dataset)
_HELD_OUT = TypeAdapter(HeldOutPredictions)


class RunFolder:
    """The files of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.events_path = path / "events.jsonl"
        self.initial_model_path = path / "start"
        self.model_path = path / "best"
        self.report_path = path / "report.json"
        self.checkpoint_path = path / "checkpoint.safetensors"
        self.held_out_path = path / "held_out.json"
        self.embeddings_path = path / "embeddings"
        self._stop_path = path / "stop"

    def create(self, job: Job, data: Dataset | None, initial_model: Path | None = None) -> None:
        """Write what the run needs; a folder that only keeps a model has no data.

        Args:
            job: what to do.
            data: the rows.
            initial_model: the folder of the model to train further, on the same disk.

        Raises:
            RunError: it cannot be written.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=data is None)
            if initial_model:  # linked, not copied: nobody writes to these files
                shutil.copytree(initial_model, self.initial_model_path, copy_function=os.link)
            if data is not None:
                _write(self.path / "data.json", _DATA.dump_json(data))
            _write(self.path / "config.json", _JOB.dump_json(job, indent=1))
        except (OSError, shutil.Error) as error:
            raise RunError(f"The run cannot be stored: {getattr(error, 'strerror', None) or error}.") from error

    @property
    def is_model_only(self) -> bool:
        """Whether the folder keeps a model and has no job to run."""
        return self.model_path.is_dir() and not (self.path / "data.json").exists()

    def job(self) -> Job:
        """Read what the run does.

        Raises:
            RunError: it cannot be read.
        """
        return _read(_JOB, self.path / "config.json")

    def data(self) -> Dataset:
        """Read the rows of the run.

        Raises:
            RunError: it cannot be read.
        """
        return _read(_DATA, self.path / "data.json")

    def write_data(self, data: Dataset) -> None:
        """Write the rows of the run anew: with what else was found in them."""
        _write(self.path / "data.json", _DATA.dump_json(data))

    def write_report(self, report: dict[str, Any]) -> None:
        """Write the report of the run."""
        _write(self.report_path, json.dumps(report, indent=1, ensure_ascii=False).encode())

    def write_held_out(self, predictions: HeldOutPredictions) -> None:
        """Write what the model predicts for the held-out rows."""
        _write(self.held_out_path, _HELD_OUT.dump_json(predictions))

    def held_out(self) -> HeldOutPredictions | None:
        """Read what the model predicts for the held-out rows; None if the run has written nothing.

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
        """The numbers of the checkpoint, if there is one; its `epoch` is that after which the run can be resumed.

        Raises:
            RunError: it cannot be read.
        """
        return read_metadata(self.checkpoint_path) if self.checkpoint_path.exists() else None

    def zip_path(self, *, onnx: bool) -> Path:
        """Return where the ZIP of the model is cached."""
        return self.path / ("model-onnx.zip" if onnx else "model.zip")

    @property
    def stop_requested(self) -> bool:
        return self._stop_path.exists()

    def request_stop(self) -> None:
        self._stop_path.touch()

    def cancel_stop(self) -> None:
        self._stop_path.unlink(missing_ok=True)

    def event_log(self, timeout: float = 0.0) -> EventLog:
        """Open the log for writing, by one process at a time.

        Args:
            timeout: seconds to wait for another process that has it open.

        Raises:
            RunError: another process still has it open.
        """
        return EventLog(self.events_path, timeout)

    def event_reader(self) -> EventReader:
        return EventReader(self.events_path)

    def history(self) -> History:
        """Return the events so far."""
        return History(self.event_reader().read())


def _read(kind: TypeAdapter[Content], path: Path) -> Content:
    try:
        return kind.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise RunError(UNREADABLE) from error


def _write(path: Path, content: bytes) -> None:
    with atomic_write(path) as staging:
        staging.write_bytes(content)
