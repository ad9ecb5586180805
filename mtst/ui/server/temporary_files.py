"""A place for files that a visitor is about to take: each in a folder of its own, gone after an hour or so."""

import hashlib
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from tempfile import gettempdir

from gradio.utils import get_upload_folder

from mtst.errors import DataError
from mtst.model.export.bundle import NAME
from mtst.runs.folder import RunFolder

PLACE = Path(gettempdir()) / "mtst-downloads"
KEPT_SECONDS = 3600
SPARED = 1e9  # bytes of a disk that visitors' files leave free
NO_ROOM = "This server has no room for files now. Come back later, or run mtst yourself."


def has_room(*more: Path) -> bool:
    """Tell whether there is room on the disks where files come and go, and on those of some more folders."""
    places = [Path(gettempdir()), Path(get_upload_folder()), *more]
    return all(shutil.disk_usage(place).free > SPARED for place in places if place.is_dir())


def check_room(*more: Path) -> None:
    """Make sure that a file may be made.

    Raises:
        DataError: there is no room.
    """
    if not has_room(*more):
        raise DataError(NO_ROOM)


def fresh_path(name: str) -> Path:
    """Return a path with this name in a new folder.

    Raises:
        DataError: there is no room, or the folder cannot be made.
    """
    check_room()
    folder = PLACE / token_hex(16)
    try:
        PLACE.mkdir(mode=0o700, exist_ok=True)
        folder.mkdir()
    except OSError as error:
        raise _not_made(error) from error
    return folder / name


def write_file(name: str, content: bytes) -> Path:
    """Return where a new file with this name and content lies.

    Raises:
        DataError: it cannot be written.
    """
    path = fresh_path(name)
    try:
        path.write_bytes(content)
    except OSError as error:
        raise _not_made(error) from error
    return path


def _not_made(error: OSError) -> DataError:
    return DataError(f"No file can be made for you now: {error.strerror}.")


def sweep() -> None:
    """Remove what was left here too long ago."""
    for folder in PLACE.glob("*"):
        with suppress(FileNotFoundError):  # another sweep was quicker
            if time.time() - folder.stat().st_mtime > KEPT_SECONDS:
                shutil.rmtree(folder)


def link_zip(folder: RunFolder, onnx: bool) -> Path:
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


def unlink_zips(token: str) -> None:
    """Take back what was lent of a run that has been deleted."""
    for onnx in (False, True):
        shutil.rmtree(_place(token, onnx), ignore_errors=True)


def _place(token: str, onnx: bool) -> Path:
    """Return a folder whose name only who has the token knows, and that does not tell it: it stands in an address."""
    name = hashlib.sha256(f"zip {token} {onnx}".encode()).hexdigest()
    return Path(get_upload_folder()) / f"mtst-{name}"
