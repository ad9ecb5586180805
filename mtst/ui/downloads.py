"""A place for files that a visitor is about to take: each in a folder of its own, gone after an hour or so."""

import shutil
import time
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from tempfile import gettempdir

from mtst.errors import DataError

PLACE = Path(gettempdir()) / "mtst-downloads"
KEPT_SECONDS = 3600


def fresh(name: str) -> Path:
    """Return a path with this name in a new folder.

    Raises:
        DataError: the folder cannot be made.
    """
    folder = PLACE / token_hex(16)
    try:
        PLACE.mkdir(mode=0o700, exist_ok=True)
        folder.mkdir()
    except OSError as error:
        raise DataError(f"No file can be made for you now: {error.strerror}.") from error
    return folder / name


def sweep() -> None:
    """Remove what was left here too long ago."""
    for folder in PLACE.glob("*"):
        with suppress(FileNotFoundError):  # another sweep was quicker
            if time.time() - folder.stat().st_mtime > KEPT_SECONDS:
                shutil.rmtree(folder)
