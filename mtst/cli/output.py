"""What every command says on standard error: which rows were left out, and what went wrong."""

import errno
import os
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

import typer

from mtst.data.readers.records import Skipped
from mtst.encoders.encoder import Encoder
from mtst.encoders.hub.download import ProgressCallback
from mtst.encoders.loading import load_encoder
from mtst.errors import DataError, MtstError

P = ParamSpec("P")
R = TypeVar("R")


def report_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Turn an error a person can mend into one line on standard error and exit code 2."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except MtstError as error:
            typer.echo(f"mtst: {' '.join(str(error).split())}", err=True)
            raise typer.Exit(2) from error

    return run


def print_skipped(skipped: Sequence[Skipped], count: int | None = None) -> None:
    """Say on standard error how many rows were left out, and why the first ones; `count` if not all are given."""
    count = len(skipped) if count is None else count
    if count:
        first = "; ".join(f"line {row.line}: {row.reason}" for row in skipped[:3])
        more = ", and more" if count > 3 else ""
        typer.echo(f"{count:,} row{'s' * (count > 1)} skipped: {first}{more}", err=True)


def check_files(*targets: Path | None) -> None:
    """Make sure that files can be written later, as far as that can be told before minutes of work.

    Raises:
        DataError: one cannot.
    """
    for target in filter(None, targets):
        place = target if os.path.exists(target) else target.parent
        if target.is_dir():
            why = errno.EISDIR
        elif not (place == target or place.is_dir()):
            why = errno.ENOENT
        elif not os.access(place, os.W_OK):
            why = errno.EACCES
        else:
            continue
        raise DataError(f"{target} cannot be written: {os.strerror(why)}.")


def write_file(content: str, target: Path) -> None:
    """Write a text file.

    Raises:
        DataError: it cannot be written.
    """
    try:
        target.write_text(content, encoding="utf-8")
    except OSError as error:
        raise DataError(f"{target} cannot be written: {error.strerror}.") from error


def load_with_progress(name: str, *, fp32: bool) -> Encoder:
    """Load an encoder and say on standard error, if somebody sees it, how far its download is.

    Raises:
        EncoderError: it is unknown, out of reach, altered, or not a text encoder.
    """
    return load_encoder(name, fp32=fp32, progress=_line(name) if sys.stderr.isatty() else None)


def _line(name: str) -> ProgressCallback:
    """Return what writes one line again and again until the download is whole."""

    def told(done: int, total: int) -> None:
        end = "\n" if done == total else ""
        if total:
            sys.stderr.write(f"\rfetching {name}: {done / 1e6:,.0f} of {total / 1e6:,.0f} MB{end}")
            sys.stderr.flush()

    return told
