"""What became of every row of a file: kept, cut, or skipped, and why; and the same as a CSV to take home."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mtst.data.csv_writer import write_csv
from mtst.data.dataset import Dataset
from mtst.data.table import Table


@dataclass(frozen=True, eq=False)
class RowReport:
    """A table and the dataset that was made of it.

    `tokens`, where they have been counted, has the length of each text of the dataset; texts longer than `max_tokens`
    are cut.
    """

    table: Table
    data: Dataset
    tokens: Sequence[int] = ()
    max_tokens: int = 0

    @property
    def read(self) -> int:
        """Rows of the file, without its header and without empty lines."""
        return len(self.table.rows) + len(self.table.skipped)

    @property
    def kept(self) -> int:
        return len(self.data)

    @property
    def cut(self) -> int:
        """Rows whose text is longer than what the encoder reads."""
        return sum(length > self.max_tokens for length in self.tokens)

    @property
    def reasons(self) -> dict[str, int]:
        """How many rows were skipped for each reason, the most frequent first."""
        return dict(Counter(row.reason.split(":")[0] for row in self.data.skipped).most_common())

    def write_rows(self, target: Path) -> None:
        """Write a line for each row: the file's line number, whether it is used, and why not or how.

        Raises:
            DataError: the file cannot be written.
        """
        tokens = self.tokens if len(self.tokens) else [0] * self.kept
        rows = [
            (line, "yes", f"cut: {length:,} tokens, of which {self.max_tokens:,} are read")
            if length > self.max_tokens
            else (line, "yes", "")
            for line, length in zip(self.data.lines, tokens, strict=True)
        ]
        rows += [(row.line, "no", row.reason) for row in self.data.skipped]
        write_csv(target, ("line", "used", "note"), sorted(rows))
