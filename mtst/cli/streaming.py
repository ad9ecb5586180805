"""Convert a file of any length batch by batch, by one process or several, and write the result when it is complete.

Of n processes each converts every n-th batch, so all have as much to do; the main process joins the batches in order.
"""

import os
import shutil
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from types import FrameType
from typing import Protocol

import typer

from mtst.cli.output import print_oddities, print_skipped
from mtst.data.oddities.finding import find_sentence_oddities
from mtst.data.readers.notes import Oddity
from mtst.data.readers.options import ReadOptions
from mtst.data.readers.records import Record
from mtst.data.readers.stream import Batches, Stream, open_stream
from mtst.data.table import Table
from mtst.errors import DataError
from mtst.training.distributed import ProcessGroup, launched_process_group

RESULT = "result"  # the file that is built in the staging folder


class BatchConverter(Protocol):
    """The format of a command's output file.

    Attributes:
        column: the index of the column of sentences.
    """

    column: int

    def header(self, row_count: int) -> bytes:
        """Return what the file begins with; its length must not depend on the number of rows."""

    def convert(self, records: list[Record]) -> bytes:
        """Return the part of the file for a batch of rows."""

    def oddities(self, texts: Sequence[str], lines: Sequence[int]) -> tuple[Oddity, ...]:
        """Return what the encoder cannot read of some texts, which stand on these lines."""

    def summary(self, row_count: int) -> str:
        """Return what the file holds, in words."""


def write_in_batches(file: Path, out: Path, prepare: Callable[[Stream], BatchConverter], options: ReadOptions) -> None:
    """Convert a file, then print how many rows were written and skipped.

    An existing `out` is replaced at the end, and kept if anything fails. Processes on several machines need the same
    file, and `out` in a folder that they share.

    Raises:
        MtstError: the file cannot be read, `prepare` failed, or `out` cannot be written.
    """
    with launched_process_group() as process_group, _staging_folder(out, process_group) as folder:
        with process_group.fail_together():
            stream = open_stream(file, options)
            converter = prepare(stream)
            batches = Batches(stream)
            first = _FirstRows(stream, converter)
            with _translate_write_errors(out, process_group):
                batch_count = _write_shard(folder, converter, first.of(batches), process_group)

        def finish() -> None:
            with _translate_write_errors(out, process_group):
                if process_group.world_size > 1:
                    _join_batches(folder, file, batch_count)
                with (folder / RESULT).open("r+b") as result:
                    result.write(converter.header(batches.row_count))
                if out.exists():
                    shutil.copymode(out, folder / RESULT)
                (folder / RESULT).replace(out.resolve())  # resolved, so that a link stays a link
            print_oddities(stream.reading.notes.oddities())
            first.print_oddities(batches.row_count)
            print_skipped(batches.first_skipped, batches.skipped_count)
            typer.echo(f"{converter.summary(batches.row_count)} written to {out}")

        process_group.run_on_main(finish)


class _FirstRows:
    """Looks at the first batch of rows for what is odd: later ones are not kept."""

    def __init__(self, stream: Stream, converter: BatchConverter) -> None:
        self._stream = stream
        self._converter = converter
        self._row_count = 0
        self._oddities: tuple[Oddity, ...] = ()

    def of(self, batches: Iterable[list[Record]]) -> Iterator[list[Record]]:
        """Yield the batches; the first is looked at."""
        for batch in batches:
            if not self._row_count:
                self._row_count, self._oddities = len(batch), self._find(batch)
            yield batch

    def _find(self, records: list[Record]) -> tuple[Oddity, ...]:
        name, columns, column = self._stream.name, self._stream.columns, self._converter.column
        filled = [record for record in records if record.cells[column].strip()]
        texts, lines = [record.cells[column] for record in filled], tuple(record.line for record in filled)
        table = Table(
            name,
            columns,
            tuple(tuple(record.cells) for record in filled),
            lines,
            undecodable=sum(text.count("\ufffd") for text in texts),
            delimiter=self._stream.reading.delimiter,
        )
        return (*find_sentence_oddities(table, columns[column]), *self._converter.oddities(texts, lines))

    def print_oddities(self, row_count: int) -> None:
        """Print what looks odd; `row_count` is the number of all rows."""
        where = f", from the first {self._row_count:,} rows" if row_count > self._row_count else ""
        print_oddities(self._oddities, where)


def _write_shard(
    folder: Path, converter: BatchConverter, batches: Iterable[list[Record]], process_group: ProcessGroup
) -> int:
    """Convert the batches of this process, and return how many all processes have.

    One process appends its batches to the result; several write each to a file of its own. Every process reads all
    rows, which is quick; so the main process knows their number.
    """
    if process_group.is_main:
        (folder / RESULT).write_bytes(converter.header(0))
    count = 0
    for batch in batches:
        if process_group.owns(count):
            name = RESULT if process_group.world_size == 1 else str(count)
            with (folder / name).open("ab") as target:
                target.write(converter.convert(batch))
        count += 1
    return count


def _join_batches(folder: Path, file: Path, count: int) -> None:
    if {path.name for path in folder.iterdir()} != {RESULT, *map(str, range(count))}:
        raise DataError(f"The processes do not read the same {file}. Give it to all of them.")
    with (folder / RESULT).open("ab") as result:
        for batch in (folder / str(index) for index in range(count)):
            with batch.open("rb") as source:
                shutil.copyfileobj(source, result)
            batch.unlink()  # at once, so that the disk never holds all of it twice


@contextmanager
def _staging_folder(out: Path, process_group: ProcessGroup) -> Iterator[Path]:
    """Create a folder next to `out` and remove it at the end, also when the process is terminated."""
    folder = Path(process_group.run_on_main(lambda: _make_folder(out, process_group)))

    def terminate(number: int, _frame: FrameType | None) -> None:
        """Clean up here: an exception raised in the handler would be lost if a `__del__` happened to be running."""
        shutil.rmtree(folder, ignore_errors=True)
        signal.signal(number, previous)
        signal.raise_signal(number)

    previous = signal.signal(signal.SIGTERM, terminate)
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # in every process: the main one may be gone
        raise
    finally:
        signal.signal(signal.SIGTERM, previous)
        if process_group.is_main:
            shutil.rmtree(folder, ignore_errors=True)


def _make_folder(out: Path, process_group: ProcessGroup) -> str:
    target = out.resolve()
    with _translate_write_errors(out, process_group):
        if target.exists() and not (target.is_file() and os.access(target, os.W_OK)):
            raise DataError(f"{out} cannot be written: it is no file that may be replaced. Name another one.")
        return mkdtemp(dir=target.parent, prefix=f".{target.name}-")


@contextmanager
def _translate_write_errors(out: Path, process_group: ProcessGroup) -> Iterator[None]:
    """Raise an `OSError` as a `DataError` that names the file and the reason."""
    try:
        yield
    except OSError as error:
        shared = " All processes need to share its folder." if process_group.world_size > 1 else ""
        raise DataError(f"{out} cannot be written: {error.strerror or error}.{shared}") from error
