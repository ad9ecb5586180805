"""What the commands print and write: errors, skipped rows, the progress of a download, files."""

import errno
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

import typer

from mtst.data.readers.notes import Oddity
from mtst.data.readers.records import Skipped
from mtst.data.table import Table
from mtst.data.tasks import Task
from mtst.encoders.encoder import Encoder
from mtst.encoders.hub.download import ProgressCallback
from mtst.encoders.loading import load_encoder
from mtst.encoders.prompts import describe_prompt
from mtst.errors import DataError, MtstError, PeerError
from mtst.training.distributed import ProcessGroup

P = ParamSpec("P")
R = TypeVar("R")
Echo = Callable[[str], None]


def report_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Print an error that the user can fix as one line on standard error, and exit with code 2."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except MtstError as error:
            if not isinstance(error, PeerError):  # which another process reports
                typer.echo(f"mtst: {' '.join(str(error).split())}", err=True)
            raise typer.Exit(2) from error

    return run


def echo_on_main(process_group: ProcessGroup) -> Echo:
    """Return a function that prints a line in the main process and nothing in the others."""

    def echo(line: str) -> None:
        if process_group.is_main:
            typer.echo(line)

    return echo


def print_skipped(skipped: Sequence[Skipped], count: int | None = None) -> None:
    """Print on standard error how many rows were skipped, and why the first ones were.

    Args:
        skipped: the skipped rows, or the first of them.
        count: how many rows were skipped, if `skipped` does not hold all of them.
    """
    count = len(skipped) if count is None else count
    if count:
        reasons = "; ".join(f"line {row.line}: {row.reason}" for row in skipped[:3])
        more = ", and more" if count > 3 else ""
        typer.echo(f"{count:,} row{'s' * (count > 1)} skipped: {reasons}{more}", err=True)


def print_label_sets(tasks: Sequence[Task]) -> None:
    """Print on standard error which tasks have several labels per row."""
    for task in tasks:
        if task.multi:
            typer.echo(f"{task}: several labels per row, {len(task.labels):,} labels", err=True)


def print_oddities(oddities: Sequence[Oddity], where: str = "") -> None:
    """Print on standard error what looks odd in a file, each with an example and the option that treats it.

    `where` says which part of the file was looked at, if not all of it.
    """
    for oddity in oddities:
        line = f"line {oddity.line:,}: " if oddity.line else ""
        example = f" ({line}{oddity.example})" if oddity.example else f" ({line.rstrip(': ')})" if line else ""
        treatment = oddity.treatment
        option = f" {treatment.label}: {' '.join(map(shlex.quote, treatment.words))}" if treatment else ""
        typer.echo(f"note{where}: {oddity.sentence}{example}{option}", err=True)


@contextmanager
def decisions_on_error(table: Table) -> Iterator[None]:
    """Print what the reader decided about a file if it cannot be used: that may be why."""
    try:
        yield
    except DataError:
        print_oddities(table.decisions)
        raise


def load_with_progress(name: str, prompt: str | None, *, fp32: bool) -> Encoder:
    """Load an encoder and show the progress of its download on standard error, if that is a terminal.

    Raises:
        EncoderError: it is unknown, out of reach, altered, or not a text encoder, or has no such prompt.
    """
    progress = progress_line(name) if sys.stderr.isatty() else None
    encoder = load_encoder(name, prompt=prompt, fp32=fp32, progress=progress)
    if encoder.prompt:
        typer.echo(describe_prompt(encoder.prompt), err=True)
    return encoder


def progress_line(name: str) -> ProgressCallback:
    """Return a callback that rewrites one line on standard error until the download is complete."""

    def show(done: int, total: int) -> None:
        end = "\n" if done == total else ""
        if total:
            sys.stderr.write(f"\rfetching {name}: {done / 1e6:,.0f} of {total / 1e6:,.0f} MB{end}")
            sys.stderr.flush()

    return show


def check_writable(*paths: Path | None) -> None:
    """Check that files can be written later, as far as that can be known before minutes of work.

    Raises:
        DataError: one of them cannot.
    """
    for path in filter(None, paths):
        target = path if path.exists() else path.parent
        if path.is_dir():
            code = errno.EISDIR
        elif not (target == path or target.is_dir()):
            code = errno.ENOENT
        elif not os.access(target, os.W_OK):
            code = errno.EACCES
        else:
            continue
        raise DataError(f"{path} cannot be written: {os.strerror(code)}.")


def write_text(path: Path, content: str) -> None:
    """Write a text file.

    Raises:
        DataError: it cannot be written.
    """
    try:
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}.") from error
