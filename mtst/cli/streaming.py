"""A file -> a file made of it part by part, by one process or several, and put in its place when it is whole.

Of n processes each makes every n-th part, so all have as much to do; the leading one joins the parts in order.
"""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Protocol, TypeVar

from mtst.cli.distributed import by_leader, join_process_group, raise_together
from mtst.data.readers.records import Record
from mtst.data.readers.stream import Batches, Stream, open_stream
from mtst.errors import DataError
from mtst.training.distributed import ProcessGroup

WHOLE = "whole"


class BatchWriter(Protocol):
    """What a command makes of the rows of a file."""

    def head(self, rows: int) -> bytes:
        """Return what the new file begins with, as many bytes whatever the number of rows."""

    def part(self, records: list[Record]) -> bytes:
        """Return what some of the rows become."""


M = TypeVar("M", bound=BatchWriter)


def write_in_batches(
    file: Path, header: bool | None, out: Path, prepare: Callable[[Stream], M]
) -> tuple[M, Batches] | None:
    """Write what a maker makes of a file; return it and the count of the rows, in the leading process only.

    What stood in `out` is replaced at the end, or kept if anything fails. Processes on several machines need the same
    file, and `out` in a folder that they share.

    Raises:
        MtstError: the file cannot be read, the maker not be prepared, or `out` not be written.
    """
    with join_process_group() as process_group, _staging(out, process_group) as folder:
        with raise_together(process_group):
            stream = open_stream(file, header)
            maker = prepare(stream)
            parts = Batches(stream)
            with _problems_told(out, process_group):
                count = _write_share(folder, maker, parts, process_group)

        def finish() -> None:
            with _problems_told(out, process_group):
                if process_group.world_size > 1:
                    _join(folder, file, count)
                with (folder / WHOLE).open("r+b") as whole:
                    whole.write(maker.head(parts.rows))
                if out.exists():
                    shutil.copymode(out, folder / WHOLE)
                (folder / WHOLE).replace(out.resolve())  # a link stays one

        by_leader(process_group, finish)
    return (maker, parts) if process_group.is_main else None


def _write_share(folder: Path, maker: BatchWriter, parts: Batches, process_group: ProcessGroup) -> int:
    """Write the parts that are this process's, next to each other or each to its own file; return how many all have.

    Every process takes all the rows, which is quick, and so the leading one knows how many there are.
    """
    if process_group.is_main:
        (folder / WHOLE).write_bytes(maker.head(0))
    count = 0
    for part in parts:
        if count % process_group.world_size == process_group.rank:
            with (folder / (WHOLE if process_group.world_size == 1 else str(count))).open("ab") as target:
                target.write(maker.part(part))
        count += 1
    return count


def _join(folder: Path, file: Path, count: int) -> None:
    if {path.name for path in folder.iterdir()} != {WHOLE, *map(str, range(count))}:
        raise DataError(f"The processes do not read the same {file}. Give it to all of them.")
    with (folder / WHOLE).open("ab") as whole:
        for part in (folder / str(number) for number in range(count)):
            with part.open("rb") as source:
                shutil.copyfileobj(source, whole)
            part.unlink()  # so that all of it does not stand there twice


@contextmanager
def _staging(out: Path, process_group: ProcessGroup) -> Iterator[Path]:
    """Make a folder next to `out` that is gone in the end, also if the process is told to terminate."""
    folder = Path(by_leader(process_group, lambda: _make_folder(out, process_group)))

    def leave(number: int, _: Any) -> None:
        """Tidy up at once: an exception raised here would be lost if a `__del__` happened to be running."""
        shutil.rmtree(folder, ignore_errors=True)
        signal.signal(number, before)
        signal.raise_signal(number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # by whichever process is left to do it
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
        if process_group.is_main:
            shutil.rmtree(folder, ignore_errors=True)


def _make_folder(out: Path, process_group: ProcessGroup) -> str:
    target = out.resolve()
    with _problems_told(out, process_group):
        if target.exists() and not (target.is_file() and os.access(target, os.W_OK)):
            raise DataError(f"{out} cannot be written: it is no file that may be replaced. Name another one.")
        return mkdtemp(dir=target.parent, prefix=f".{target.name}-")


@contextmanager
def _problems_told(out: Path, process_group: ProcessGroup) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        shared = " All processes need to share its folder." if process_group.world_size > 1 else ""
        raise DataError(f"{out} cannot be written: {error.strerror or error}.{shared}") from error
