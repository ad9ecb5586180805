"""Files that a visitor is about to download: each in a folder of its own, removed after an hour or so."""

import hashlib
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from tempfile import gettempdir

from mtst.errors import DataError
from mtst.model.export.zip import DEFAULT_NAME
from mtst.runs.folder import RunFolder
from mtst.ui.server.gradio_patches import get_upload_folder

DOWNLOADS = Path(gettempdir()) / "mtst-downloads"
MAX_AGE_SECONDS = 3600
RESERVED_BYTES = 1e9  # of each disk, which visitors' files leave free
NO_ROOM = "This server has no room for files now. Come back later, or run mtst yourself."


def has_room(*folders: Path) -> bool:
    """Return whether the disks of uploads, of downloads and of some more folders have room."""
    checked = [Path(gettempdir()), Path(get_upload_folder()), *folders]
    return all(shutil.disk_usage(folder).free > RESERVED_BYTES for folder in checked if folder.is_dir())


def check_room(*folders: Path) -> None:
    """Check that there is room for another file.

    Raises:
        DataError: there is no room.
    """
    if not has_room(*folders):
        raise DataError(NO_ROOM)


def fresh_path(name: str) -> Path:
    """Return a path with this name in a new folder.

    Raises:
        DataError: there is no room, or the folder cannot be made.
    """
    check_room()
    folder = DOWNLOADS / token_hex(16)
    try:
        DOWNLOADS.mkdir(mode=0o700, exist_ok=True)
        folder.mkdir()
    except OSError as error:
        raise _cannot_create(error) from error
    return folder / name


def write_file(name: str, content: bytes) -> Path:
    """Write a new file with this name and content, and return its path.

    Raises:
        DataError: it cannot be written.
    """
    path = fresh_path(name)
    try:
        path.write_bytes(content)
    except OSError as error:
        raise _cannot_create(error) from error
    return path


def _cannot_create(error: OSError) -> DataError:
    return DataError(f"No file can be made for you now: {error.strerror}.")


def sweep() -> None:
    """Remove the files that are too old."""
    for folder in DOWNLOADS.glob("*"):
        with suppress(FileNotFoundError):  # another process has removed it
            if time.time() - folder.stat().st_mtime > MAX_AGE_SECONDS:
                shutil.rmtree(folder)


def link_zip(folder: RunFolder, *, onnx: bool) -> Path:
    """Link the ZIP of a run into the folder that Gradio serves; a link takes no room, and Gradio removes it later."""
    served = _served_folder(folder.path.name, onnx=onnx)
    target, staging = served / f"{DEFAULT_NAME}.zip", served / "part"
    try:
        served.mkdir(parents=True, exist_ok=True)
        staging.unlink(missing_ok=True)
        try:
            os.link(folder.zip_path(onnx=onnx), staging)
        except OSError:  # another disk, or one without links
            check_room()
            shutil.copyfile(folder.zip_path(onnx=onnx), staging)
        os.replace(staging, target)  # it leaves both names where they are the same file already
        staging.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"The ZIP cannot be fetched now: {error.strerror}.") from error
    return target


def unlink_zips(token: str) -> None:
    """Remove the links to the ZIPs of a deleted run."""
    for onnx in (False, True):
        shutil.rmtree(_served_folder(token, onnx=onnx), ignore_errors=True)


def _served_folder(token: str, *, onnx: bool) -> Path:
    """Return a folder whose name is a hash of the token: it stands in URLs, which must not reveal the token."""
    name = hashlib.sha256(f"zip {token} {onnx}".encode()).hexdigest()
    return Path(get_upload_folder()) / f"mtst-{name}"
