"""The ZIP of a run where Gradio serves files from, which would copy it otherwise."""

import hashlib
import os
import shutil
from pathlib import Path

from gradio.utils import get_upload_folder

from mtst.errors import DataError
from mtst.folder import RunFolder
from mtst.takehome import NAME
from mtst.ui.downloads import check_room


def lend(folder: RunFolder, onnx: bool) -> Path:
    """Link the ZIP to where Gradio serves files from; it takes no room there, and Gradio removes it after an hour."""
    place = _place(folder.path.name, onnx)
    target, staging = place / f"{NAME}.zip", place / "part"
    try:
        place.mkdir(parents=True, exist_ok=True)
        staging.unlink(missing_ok=True)
        try:
            os.link(folder.zip_path(onnx=onnx), staging)
        except OSError:  # another disk, or one without links
            check_room()
            shutil.copyfile(folder.zip_path(onnx=onnx), staging)
        os.replace(staging, target)  # where both are the same file already, it leaves both
        staging.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"The ZIP cannot be fetched now: {error.strerror}.") from error
    return target


def take_back(token: str) -> None:
    """Take back what was lent of a run that has been deleted."""
    for onnx in (False, True):
        shutil.rmtree(_place(token, onnx), ignore_errors=True)


def _place(token: str, onnx: bool) -> Path:
    """Return a folder whose name only who has the token knows, and that does not tell it: it stands in an address."""
    name = hashlib.sha256(f"zip {token} {onnx}".encode()).hexdigest()
    return Path(get_upload_folder()) / f"mtst-{name}"
