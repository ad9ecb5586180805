"""The rows that the commands work on, from files."""

from collections.abc import Collection
from pathlib import Path

from mtst.data.dataset import Dataset, make_dataset
from mtst.data.labels.choice import LabelChoice
from mtst.data.table import read_table


def read_datasets(
    file: Path,
    test: Path | None,
    text: str,
    choice: LabelChoice,
    *,
    header: bool | None,
    merge: bool,
    leave_out: Collection[int] = (),
) -> tuple[Dataset, Dataset | None]:
    """Return the rows of a file, and those of a test file with the same tasks, if there is one.

    Raises:
        DataError: a file cannot be read, or has not these columns.
    """
    table = read_table(file, header=header)
    columns = choice.columns(table)
    data = make_dataset(table, text, columns, merge=merge, leave_out=leave_out)
    if test is None:
        return data, None
    return data, make_dataset(read_table(test, header=header), text, columns, data.tasks, merge=merge)
