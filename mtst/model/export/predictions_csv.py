"""TODO."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mtst.data.csv_writer import write_csv
from mtst.data.table import Table

if TYPE_CHECKING:
    from mtst.model.multitask import MultiTaskSentenceTransformer

ROWS_AT_ONCE = 2048


def write_predictions(model: "MultiTaskSentenceTransformer", table: Table, text: str, target: Path) -> int:
    """Write the table as CSV with two columns more for each task, the label and its probability; return the rows.

    A row without a text gets blanks.

    Raises:
        DataError: the column is missing or the file cannot be written.
    """
    sentences = table.column(text)
    parts = range(0, len(sentences), ROWS_AT_ONCE)
    predicted = (row for first in parts for row in prediction_cells(model, sentences[first : first + ROWS_AT_ONCE]))
    rows = ([*row, *more] for row, more in zip(table.rows, predicted, strict=True))
    return write_csv(target, [*table.columns, *prediction_columns(model)], rows)


def prediction_columns(model: "MultiTaskSentenceTransformer") -> list[str]:
    """Return the names of the two columns that each task adds to a table."""
    return [name for task in model.tasks for name in (f"predicted {task.name}", f"probability {task.name}")]


def prediction_cells(model: "MultiTaskSentenceTransformer", sentences: list[str]) -> Iterator[list[str]]:
    """Yield what stands in these columns for each of the sentences: blanks where there is no text."""
    blank = [""] * (2 * len(model.tasks))
    found = model.predict([sentence for sentence in sentences if sentence.strip()]).values()
    rows = zip(*(zip(p.labels, p.confidences, strict=True) for p in found), strict=True)
    for sentence in sentences:
        if sentence.strip():
            yield [cell for label, sure in next(rows) for cell in (label, f"{sure:.4f}")]
        else:
            yield blank
