"""A table with the predictions of a model, as CSV."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mtst.data.csv_writer import write_csv
from mtst.data.labels.sets import SEPARATOR
from mtst.data.table import Table

if TYPE_CHECKING:
    from mtst.model.multitask import MultiTaskSentenceTransformer
    from mtst.model.predictions import Prediction

BATCH_ROWS = 2048


def write_predictions(model: "MultiTaskSentenceTransformer", table: Table, text: str, target: Path) -> int:
    """Write a table as CSV with two more columns for each task, its label and the probability of that.

    In a multi-label task both hold one entry for each predicted label, or none.

    Args:
        model: predicts the labels.
        table: the rows; one without a text gets empty cells.
        text: the name of the column with the sentences.
        target: the CSV file.

    Returns:
        The number of rows.

    Raises:
        DataError: the column is missing or the file cannot be written.
    """
    sentences = table.column(text)
    starts = range(0, len(sentences), BATCH_ROWS)
    predictions = (
        cells for start in starts for cells in prediction_cells(model, sentences[start : start + BATCH_ROWS])
    )
    rows = ([*row, *cells] for row, cells in zip(table.rows, predictions, strict=True))
    return write_csv(target, [*table.columns, *prediction_columns(model)], rows)


def prediction_columns(model: "MultiTaskSentenceTransformer") -> list[str]:
    """Return the names of the columns that `write_predictions` adds."""
    return [name for task in model.tasks for name in (f"predicted {task.name}", f"probability {task.name}")]


def prediction_cells(model: "MultiTaskSentenceTransformer", sentences: Sequence[str]) -> Iterator[list[str]]:
    """Yield the cells of these columns for each sentence; they are empty where the sentence is blank."""
    empty = [""] * (2 * len(model.tasks))
    predictions = model.predict([sentence for sentence in sentences if sentence.strip()]).values()
    rows = zip(*map(_cells, predictions), strict=True)
    for sentence in sentences:
        if sentence.strip():
            yield [cell for cells in next(rows) for cell in cells]
        else:
            yield empty


def _cells(prediction: "Prediction") -> Iterator[tuple[str, str]]:
    """Yield the labels of each sentence, and their probabilities."""
    index = {label: position for position, label in enumerate(prediction.task.labels)}
    for labels, row in zip(prediction.label_sets, prediction.probabilities, strict=True):
        yield SEPARATOR.join(labels), SEPARATOR.join(f"{row[index[label]]:.4f}" for label in labels)
