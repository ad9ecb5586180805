"""A table with the predictions of a model, as CSV."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mtst.data.csv_writer import write_csv
from mtst.data.table import Table

if TYPE_CHECKING:
    from mtst.model.multitask import MultiTaskSentenceTransformer

BATCH_ROWS = 2048


def write_predictions(model: "MultiTaskSentenceTransformer", table: Table, text: str, target: Path) -> int:
    """Write a table as CSV with two more columns for each task, its label and the probability of that.

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
    rows = zip(*(zip(each.labels, each.confidences, strict=True) for each in predictions), strict=True)
    for sentence in sentences:
        if sentence.strip():
            yield [cell for label, probability in next(rows) for cell in (label, f"{probability:.4f}")]
        else:
            yield empty
