"""The ZIP of a run's model: made once, and kept in the run's folder."""

import os
from pathlib import Path

from mtst.errors import DataError, RunError
from mtst.model.export.bundle import read_report
from mtst.model.export.zip import zip_model
from mtst.runs.folder import RunFolder
from mtst.ui.server.temporary_files import check_room, link_zip
from mtst.ui.services.services import Services


def make_model_zip(services: Services, token: str | None, *, onnx: bool = False) -> Path:
    """Return where the ZIP of the model of a run that is over may be fetched; with `onnx` the model is in it twice.

    Raises:
        MtstError: the run is unknown, not over or without a model, or there is no room for the ZIP.
    """
    folder = services.runs.folder(token)
    with services.executors.zip_lock:
        _make(services, folder, onnx)
        return link_zip(folder, onnx=onnx)


def _make(services: Services, folder: RunFolder, onnx: bool) -> None:
    """Make the ZIP unless it is there; it has the time of its model, so it is known by it and keeps no run alive."""
    history = services.runs.history(folder.path.name)
    if not history.is_over and not folder.keeps_only:
        raise RunError("Your run has not ended yet. Wait for it.")
    model = services.run_model(folder.path.name)
    made = folder.model_path.stat().st_mtime_ns
    target = folder.zip_path(onnx=onnx)
    if target.exists() and target.stat().st_mtime_ns == made:
        return
    check_room(folder.path)
    report = read_report(folder.path) if history.is_finished else None  # that of a part before may lie there
    zip_model(model, target, report=report, onnx=onnx)
    try:
        os.utime(target, ns=(made, made))
    except OSError as error:
        raise DataError(f"The ZIP cannot be kept: {error.strerror}.") from error
