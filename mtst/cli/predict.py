"""`predict`: a table -> the table with the predictions of every head of a model."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from mtst.analysis.token_oddities import advise_training, find_token_oddities
from mtst.cli.options import Delimiter, Encoding, File, Fp32, Header, HeaderLine, Sheet, Text
from mtst.cli.streaming import write_in_batches
from mtst.data.csv_writer import csv_bytes
from mtst.data.readers.notes import Oddity
from mtst.data.readers.options import ReadOptions
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
    header_line: HeaderLine = 0,
    encoding: Encoding = "",
    delimiter: Delimiter = "",
    sheet: Sheet = "",
    fp32: Fp32 = False,
) -> None:
    """Predict the labels of a column of sentences with every head of a model.

    A file of any length takes the same memory. Processes that `accelerate launch` starts share the work; those on
    several machines need the same FILE, and --out in a folder that all of them see.
    """

    def prepare(stream: Stream) -> _PredictionsConverter:
        column = find_column(stream.name, stream.columns, text)
        return _PredictionsConverter(load_model(model, fp32=fp32), stream.columns, column)

    write_in_batches(file, out, prepare, ReadOptions(header, encoding, delimiter, sheet, header_line))


class _PredictionsConverter:
    """The table as CSV with two more columns for each task, as `write_predictions` writes it."""

    def __init__(self, model: MultiTaskSentenceTransformer, columns: tuple[str, ...], column: int) -> None:
        self._model = model
        self._columns = columns
        self.column = column

    def header(self, row_count: int) -> bytes:  # noqa: ARG002 (a CSV file does not say how many rows it has)
        return csv_bytes([[*self._columns, *prediction_columns(self._model)]])

    def convert(self, records: list[Record]) -> bytes:
        predictions = prediction_cells(self._model, [record.cells[self.column] for record in records])
        rows = csv_bytes([*record.cells, *cells] for record, cells in zip(records, predictions, strict=True))
        self._model.encoder.clear_cache()  # or memory would grow with the file
        return rows

    def oddities(self, texts: Sequence[str], lines: Sequence[int]) -> tuple[Oddity, ...]:
        return advise_training(find_token_oddities(texts, self._model.encoder, lines))

    def summary(self, row_count: int) -> str:
        return f"{row_count:,} rows with predictions"
