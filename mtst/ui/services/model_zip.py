"""The ZIP of a run's model: written once and kept in the run's folder."""

import os
from pathlib import Path

from mtst.errors import DataError, RunError
from mtst.model.export.bundle import read_report
from mtst.model.export.zip import zip_model
from mtst.runs.folder import RunFolder
from mtst.ui.server.temporary_files import check_room, link_zip
from mtst.ui.services.services import Services


def make_model_zip(services: Services, token: str | None, *, onnx: bool = False) -> Path:
    """Return a path that Gradio serves for the ZIP of a run's model; with `onnx` the ZIP also has the model as ONNX.

    Raises:
        MtstError: the run is unknown, not over or without a model, or there is no room for the ZIP.
    """
    folder = services.runs.folder(token)
    with services.executors.zip_lock:
        _write_unless_current(services, folder, onnx=onnx)
        return link_zip(folder, onnx=onnx)


def _write_unless_current(services: Services, folder: RunFolder, *, onnx: bool) -> None:
    """Write the ZIP unless it is there.

    The ZIP gets the modification time of its model. So it is known to be current, and does not delay the run's expiry.
    """
    history = services.runs.history(folder.path.name)
    if not history.is_over and not folder.is_model_only:
        raise RunError("Your run has not ended yet. Wait for it.")
    model = services.run_model(folder.path.name)
    modified = folder.model_path.stat().st_mtime_ns
    target = folder.zip_path(onnx=onnx)
    if target.exists() and target.stat().st_mtime_ns == modified:
        return
    check_room(folder.path)
    report = read_report(folder.path) if history.is_finished else None  # an earlier part of the run may have left one
    zip_model(model, target, report=report, onnx=onnx)
    try:
        os.utime(target, ns=(modified, modified))
    except OSError as error:
        raise DataError(f"The ZIP cannot be kept: {error.strerror}.") from error
