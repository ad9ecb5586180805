"""A disk that does not take what is written to it, told in one way by whichever library was writing."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

NUMBER = re.compile(r"\(os error (\d+)\)")  # how programs in Rust put what a system answered


@contextmanager
def checked_write() -> Iterator[None]:
    """Let what fails inside be an OSError, also from safetensors and tokenizers, which raise classes of their own.

    Raises:
        OSError: the disk does not take what is written.
    """
    try:
        yield
    except OSError:
        raise
    except Exception as error:  # tokenizers raises no subclass
        if number := NUMBER.search(str(error)):
            raise OSError(int(number[1]), os.strerror(int(number[1]))) from error
        raise


FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # how a system says that the disk is full, or one's share of it
