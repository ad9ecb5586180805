"""`predict`: a table -> the table with what every head of a model says."""

from pathlib import Path
from typing import Annotated

import typer

from mtst.cli.options import File, Fp32, Header, Text
from mtst.cli.output import print_skipped
from mtst.cli.streaming import write_in_batches
from mtst.data.csv_writer import csv_bytes
from mtst.data.readers.records import Record
from mtst.data.readers.stream import Stream, find_column
from mtst.model.export.predictions_csv import prediction_cells, prediction_columns
from mtst.model.loading import load_model
from mtst.model.multitask import MultiTaskSentenceTransformer


def predict(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A saved model's folder or ZIP, or 'starter'.")],
    file: File,
    text: Text,
    out: Annotated[Path, typer.Option(metavar="FILE.csv", help="Where to write the table with predictions.")],
    header: Header = None,
    fp32: Fp32 = False,
) -> None:
    """Predict the labels of a column of sentences with every head of a model.

    A file of any length takes the same memory. Processes that `accelerate launch` starts share the work; those on
    several machines need the same FILE, and --out in a folder that all of them see.
    """

    def prepare(stream: Stream) -> _Predictions:
        place = find_column(stream.name, stream.columns, text)
        return _Predictions(load_model(model, fp32=fp32), stream.columns, place)

    if written := write_in_batches(file, header, out, prepare):
        _, parts = written
        print_skipped(parts.first_skipped, parts.skipped)
        typer.echo(f"{parts.rows:,} rows with predictions written to {out}")


class _Predictions:
    """The table with two columns more for each task, as `write_predictions` writes it."""

    def __init__(self, model: MultiTaskSentenceTransformer, columns: tuple[str, ...], place: int) -> None:
        self._model = model
        self._columns = columns
        self._place = place

    def head(self, rows: int) -> bytes:
        return csv_bytes([[*self._columns, *prediction_columns(self._model)]])

    def part(self, records: list[Record]) -> bytes:
        cells = prediction_cells(self._model, [record.cells[self._place] for record in records])
        rows = csv_bytes([*record.cells, *more] for record, more in zip(records, cells, strict=True))
        self._model.encoder.clear_cache()  # or its memory would grow with the file
        return rows
