"""A place for files that a visitor is about to take: each in a folder of its own, gone after an hour."""

import shutil
import time
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from tempfile import gettempdir

KEPT_SECONDS = 3600


def fresh(name: str) -> Path:
    """Return a path with this name in a new folder, after removing what was left here too long ago."""
    place = Path(gettempdir()) / "mtst-downloads"
    place.mkdir(mode=0o700, exist_ok=True)
    for old in place.iterdir():
        with suppress(FileNotFoundError):  # another visitor's request removed it first
            if time.time() - old.stat().st_mtime > KEPT_SECONDS:
                shutil.rmtree(old)
    folder = place / token_hex(16)
    folder.mkdir()
    return folder / name
