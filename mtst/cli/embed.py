"""`embed` and `similarity`: sentences -> embeddings, and how close they are."""

from io import BytesIO
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from mtst.analysis.similarity import cosine
from mtst.cli.options import Encoder, File, Fp32, Header, Text
from mtst.cli.output import load_with_progress, print_skipped
from mtst.cli.streaming import write_in_batches
from mtst.data.readers.records import Record
from mtst.data.readers.stream import Stream, find_column
from mtst.encoders.encoder import Encoder as SentenceEncoder
from mtst.encoders.loading import DEFAULT


def embed(
    file: File,
    text: Text,
    out: Annotated[Path, typer.Option(metavar="FILE.npy", help="Where to write the array (rows, d), float32.")],
    header: Header = None,
    encoder: Encoder = DEFAULT,
    fp32: Fp32 = False,
) -> None:
    """Embed a column of sentences; row i of the array is row i of those that could be read.

    A file of any length takes the same memory. Processes that `accelerate launch` starts share the work; those on
    several machines need the same FILE, and --out in a folder that all of them see.
    """

    def prepare(stream: Stream) -> _Embeddings:
        place = find_column(stream.name, stream.columns, text)
        return _Embeddings(load_with_progress(encoder, fp32=fp32), place)

    if written := write_in_batches(file, header, out, prepare):
        made, parts = written
        print_skipped(parts.first_skipped, parts.skipped)
        typer.echo(f"{parts.rows:,} embeddings of {made.encoder.dimension} numbers written to {out}")


class _Embeddings:
    """The embeddings (rows, d) of a column as a `.npy` file."""

    def __init__(self, encoder: SentenceEncoder, place: int) -> None:
        self.encoder = encoder
        self._place = place

    def head(self, rows: int) -> bytes:
        """Return the header; numpy leaves room in it for the number of rows to grow."""
        file = BytesIO()
        shape = {"descr": "<f4", "fortran_order": False, "shape": (rows, self.encoder.dimension)}
        np.lib.format.write_array_header_1_0(file, shape)
        return file.getvalue()

    def part(self, records: list[Record]) -> bytes:
        embeddings = self.encoder.encode([record.cells[self._place] for record in records])
        self.encoder.clear_cache()  # or its memory would grow with the file
        return embeddings.astype("<f4", copy=False).tobytes()


def similarity(
    sentences: Annotated[list[str], typer.Argument(help="Two sentences or more.")],
    encoder: Encoder = DEFAULT,
    fp32: Fp32 = False,
) -> None:
    """Print the cosine similarity of every pair of sentences."""
    cosines = cosine(load_with_progress(encoder, fp32=fp32).encode(sentences))
    width = len(str(len(sentences)))
    typer.echo(" " * width + "".join(f"{column:>7}" for column in range(1, len(sentences) + 1)))
    for number, (row, sentence) in enumerate(zip(cosines, sentences, strict=True), 1):
        typer.echo(f"{number:>{width}}" + "".join(f"{value:7.3f}" for value in row) + f"  {sentence}")
