"""The cells seen so far, which tell whether lines inside a quoted cell are rows of their own."""

from collections import Counter
from collections.abc import Sequence

from mtst.data.readers.text.dialect import Dialect

PROSE_DELIMITERS = ",;"  # signs of sentences too: a line with as many of them as a row may still be a sentence
MAX_LABELS = 200  # distinct cells of a column that is remembered
MIN_REPEATS = 2  # how often a label occurs on average
FEWEST_ROWS = 2


class KnownCells:
    """The number of cells of the rows so far, and the labels: the cells of columns that repeat a few short values."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._widths: Counter[int] = Counter()
        self._cells: list[set[str] | None] = []  # by column; None for a column with many different cells

    def add(self, cells: Sequence[str]) -> None:
        """Remember the cells of a row."""
        self._widths[len(cells)] += 1
        while len(self._cells) < len(cells):
            self._cells.append(set())
        for index, cell in enumerate(cells):
            known = self._cells[index]
            if known is not None:
                known.add(cell.strip())
                if len(known) > MAX_LABELS:
                    self._cells[index] = None

    def are_rows(self, lines: Sequence[str]) -> bool:
        """Return whether each line is a row of the table if its quotes are characters.

        It has as many cells as most rows so far. If sentences hold the delimiter too, it also has a known label. One
        line alone counts only if its first cell is no properly quoted one.
        """
        if not self._widths:
            return False
        width, rows = self._widths.most_common(1)[0]
        if width < 2 or width > 1_000:
            return False
        split = [self._dialect.split(line) for line in lines]
        if any(len(cells) != width for cells in split):
            return False
        if self._dialect.delimiter not in PROSE_DELIMITERS:
            return True
        return rows >= FEWEST_ROWS and all(self._has_label(cells, rows) for cells in split)

    def _has_label(self, cells: Sequence[str], rows: int) -> bool:
        return any(
            known and MIN_REPEATS * len(known) <= rows and cell.strip() in known
            for known, cell in zip(self._cells, cells, strict=False)
        )
