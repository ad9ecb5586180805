"""`embed` and `similarity`: sentences -> embeddings, and how close they are."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from mtst.analysis.similarity import cosine
from mtst.analysis.token_oddities import find_token_oddities
from mtst.cli.options import Delimiter, EncoderName, Encoding, File, Fp32, Header, HeaderLine, Prompt, Sheet, Text
from mtst.cli.output import load_with_progress, print_oddities
from mtst.cli.streaming import write_in_batches
from mtst.data.readers.notes import Oddity
from mtst.data.readers.options import ReadOptions
from mtst.data.readers.records import Record
from mtst.data.readers.stream import Stream, find_column
from mtst.encoders.catalogue import DEFAULT
from mtst.encoders.encoder import Encoder


def embed(
    file: File,
    text: Text,
    out: Annotated[Path, typer.Option(metavar="FILE.npy", help="Where to write the array (rows, d), float32.")],
    header: Header = None,
    header_line: HeaderLine = 0,
    encoding: Encoding = "",
    delimiter: Delimiter = "",
    sheet: Sheet = "",
    encoder: EncoderName = DEFAULT,
    prompt: Prompt = None,
    fp32: Fp32 = False,
) -> None:
    """Embed a column of sentences; row i of the array is row i of those that could be read.

    A file of any length takes the same memory. Processes that `accelerate launch` starts share the work; those on
    several machines need the same FILE, and --out in a folder that all of them see.
    """

    def prepare(stream: Stream) -> _NpyConverter:
        column = find_column(stream.name, stream.columns, text)
        return _NpyConverter(load_with_progress(encoder, prompt, fp32=fp32), column)

    write_in_batches(file, out, prepare, ReadOptions(header, encoding, delimiter, sheet, header_line))


class _NpyConverter:
    """The embeddings (rows, d) of a column as a `.npy` file."""

    def __init__(self, encoder: Encoder, column: int) -> None:
        self._encoder = encoder
        self.column = column

    def header(self, row_count: int) -> bytes:
        """Return the header; numpy pads it, so that the number of rows can grow without moving the data."""
        file = BytesIO()
        layout = {"descr": "<f4", "fortran_order": False, "shape": (row_count, self._encoder.dimension)}
        np.lib.format.write_array_header_1_0(file, layout)
        return file.getvalue()

    def convert(self, records: list[Record]) -> bytes:
        embeddings = self._encoder.encode([record.cells[self.column] for record in records])
        self._encoder.clear_cache()  # or memory would grow with the file
        return embeddings.astype("<f4", copy=False).tobytes()

    def oddities(self, texts: Sequence[str], lines: Sequence[int]) -> tuple[Oddity, ...]:
        return find_token_oddities(texts, self._encoder, lines)

    def summary(self, row_count: int) -> str:
        return f"{row_count:,} embeddings of {self._encoder.dimension} numbers"


def similarity(
    sentences: Annotated[list[str], typer.Argument(help="Two sentences or more.")],
    encoder: EncoderName = DEFAULT,
    prompt: Prompt = None,
    fp32: Fp32 = False,
) -> None:
    """Print the cosine similarity of every pair of sentences."""
    loaded = load_with_progress(encoder, prompt, fp32=fp32)
    print_oddities(find_token_oddities(sentences, loaded))
    cosines = cosine(loaded.encode(sentences))
    width = len(str(len(sentences)))
    typer.echo(" " * width + "".join(f"{column:>7}" for column in range(1, len(sentences) + 1)))
    for number, (row, sentence) in enumerate(zip(cosines, sentences, strict=True), 1):
        typer.echo(f"{number:>{width}}" + "".join(f"{value:7.3f}" for value in row) + f"  {sentence}")
