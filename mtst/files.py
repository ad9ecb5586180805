"""Writing files: a file is replaced as a whole, and every library reports a full disk as an `OSError`."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

RUST_ERROR = re.compile(r"\(os error (\d+)\)")  # how libraries written in Rust quote the system's error number
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # the disk is full, or a quota or a limit on file sizes is reached


@contextmanager
def checked_write() -> Iterator[None]:
    """Turn the write errors of safetensors and tokenizers, which raise classes of their own, into `OSError`.

    Raises:
        OSError: the disk does not take what is written.
    """
    try:
        yield
    except OSError:
        raise
    except Exception as error:  # tokenizers raises no subclass
        if number := RUST_ERROR.search(str(error)):
            raise OSError(int(number[1]), os.strerror(int(number[1]))) from error
        raise


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a staging path beside `path` and move it there once the block has written it.

    The file is the old one or the new one at every moment, also if the machine stops. If anything fails, the old file
    stays and the staging file is removed.

    Raises:
        OSError: the disk does not take the file.
    """
    staging = path.with_suffix(".part")
    try:
        with checked_write():
            yield staging
            with staging.open("rb+") as file:
                os.fsync(file.fileno())
            staging.replace(path)
    except BaseException:
        with suppress(OSError):
            staging.unlink()
        raise
