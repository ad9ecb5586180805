"""Which rows of a file are used, truncated or skipped, and why; also as a CSV file for download."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mtst.data.csv_writer import write_csv
from mtst.data.dataset import Dataset
from mtst.data.table import Table


@dataclass(frozen=True, eq=False)
class RowReport:
    """A table and the dataset made from it.

    `tokens` is the token count of each text of the dataset, or empty if the texts are not tokenized yet. Texts with
    more than `max_tokens` tokens are truncated.
    """

    table: Table
    data: Dataset
    tokens: Sequence[int] = ()
    max_tokens: int = 0

    @property
    def rows_read(self) -> int:
        """Rows of the file, without the header and empty lines."""
        return len(self.table.rows) + len(self.table.skipped)

    @property
    def rows_used(self) -> int:
        return len(self.data)

    @property
    def rows_truncated(self) -> int:
        """Rows whose text is longer than the encoder reads."""
        return sum(length > self.max_tokens for length in self.tokens)

    @property
    def skip_reasons(self) -> dict[str, int]:
        """Count of skipped rows by reason, the most frequent first."""
        return dict(Counter(row.reason.split(":")[0] for row in self.data.skipped).most_common())

    def write(self, path: Path) -> None:
        """Write a CSV line for each row: its line number in the file, whether it is used, and why not or how.

        Raises:
            DataError: the file cannot be written.
        """
        tokens = self.tokens if len(self.tokens) else [0] * self.rows_used
        rows = [
            (line, "yes", f"cut: {length:,} tokens, of which {self.max_tokens:,} are read")
            if length > self.max_tokens
            else (line, "yes", "")
            for line, length in zip(self.data.lines, tokens, strict=True)
        ]
        rows += [(row.line, "no", row.reason) for row in self.data.skipped]
        write_csv(path, ("line", "used", "note"), sorted(rows))
