"""A log without anything that visitors send: errors are logged by their place and kind, not by their message.

Messages quote what they are about: a cell, a sentence, the token of a run. Gradio prints them with every traceback. It
documents none of this; tried on the version in `gradio_patches.TRIED_ON`.
"""

import logging
import sys
import traceback
from collections.abc import Iterator
from types import SimpleNamespace

from gradio import queueing, route_utils, routes

LOG = logging.getLogger(__name__)
LOGGERS = ("uvicorn.error", "asyncio")  # that log what nobody has caught


def keep_log_private() -> None:
    """Keep what visitors send out of the log, in all of this process."""
    for module in (queueing, route_utils, routes):
        setattr(module, traceback.__name__, SimpleNamespace(print_exc=_log_current))
    for name in LOGGERS:
        logging.getLogger(name).addFilter(_without_message)


def describe(error: BaseException) -> str:
    """Return where an error and its causes came from and of what kind they are, without their messages."""
    return "\n".join(_lines(error))


def _lines(error: BaseException) -> Iterator[str]:
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield f"{type(cause).__module__}.{type(cause).__qualname__}, raised at"
        for frame, line in traceback.walk_tb(cause.__traceback__):  # without the sources, which take long to look up
            yield f'  File "{frame.f_code.co_filename}", line {line}, in {frame.f_code.co_name}'
        cause = cause.__cause__ or cause.__context__


def _log_current() -> None:
    error = sys.exception()
    if error is not None:
        LOG.error("%s", describe(error))


def _without_message(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        record.exc_info, record.exc_text = None, describe(error)
    return True
