"""A place for files that a visitor is about to take: each in a folder of its own, gone after an hour or so."""

import shutil
import time
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from tempfile import gettempdir

from gradio.utils import get_upload_folder

from mtst.errors import DataError

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


def fresh(name: str) -> Path:
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


def written(name: str, content: bytes) -> Path:
    """Return where a new file with this name and content lies.

    Raises:
        DataError: it cannot be written.
    """
    path = fresh(name)
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
