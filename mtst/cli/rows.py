"""The rows that the commands work on: what is read of a file, and how."""

from dataclasses import dataclass
from pathlib import Path

from mtst.cli.output import decisions_on_error
from mtst.data.dataset import Dataset, make_dataset
from mtst.data.labels.choice import LabelChoice
from mtst.data.oddities.treatments import Treatments, treat
from mtst.data.readers.hub_dataset import is_table_file
from mtst.data.readers.options import ReadOptions
from mtst.data.table import Table, read_hub_table, read_table
from mtst.errors import DataError
from mtst.hub.repositories import HUB_ID


@dataclass(frozen=True)
class Selection:
    """What the options say about a file: its columns, how it is read, and what is done about what is odd in it."""

    text: str
    labels: LabelChoice
    reading: ReadOptions
    treatments: Treatments
    merge: bool = False
    leave_out: tuple[int, ...] = ()

    def read(self, file: Path, test: Path | None = None) -> tuple[Dataset, Dataset | None]:
        """Return the rows of a file, and those of a test file with the same tasks, if there is one.

        Raises:
            DataError: a file cannot be read, or has not these columns.
        """
        table = self._table(file)
        with decisions_on_error(table):
            columns = self.labels.columns(table)
            data = make_dataset(table, self.text, columns, merge=self.merge, leave_out=self.leave_out)
        if test is None:
            return data, None
        return data, make_dataset(self._table(test), self.text, columns, data.tasks, merge=self.merge)

    def _table(self, file: Path) -> Table:
        return treat(_read_source(file, self.reading), self.treatments)


def _read_source(source: Path, options: ReadOptions) -> Table:
    """Return the table of a file or, where there is none of that name, of a dataset of the Hub."""
    name = source.as_posix()
    if not HUB_ID.fullmatch(name) or source.exists() or is_table_file(name):
        return read_table(source, options=options)
    try:
        return read_hub_table(name, options=options)
    except DataError as error:
        raise DataError(f"There is no file {name!r} here. {error}") from error
