"""A visitor's file on its way to a run: the table, what is chosen of it, and the lengths of its texts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mtst.data.dataset import Dataset, make_dataset
from mtst.data.limits import Limits
from mtst.data.row_report import RowReport
from mtst.data.table import Table
from mtst.errors import DataError

if TYPE_CHECKING:
    from mtst.encoders.encoder import Encoder


@dataclass(frozen=True)
class ColumnChoice:
    """What a visitor chooses of a table: columns, whether alike labels are one, and the lines that are left out."""

    text: str | None
    labels: tuple[str, ...]
    merge: bool = False
    leave_out: frozenset[int] = frozenset()


@dataclass(eq=False)
class UploadDraft:
    """One visitor's file; texts are counted once for each encoder, however often the choice changes."""

    path: Path
    table: Table
    limits: Limits
    _tokens: dict[tuple[str, str], int] = field(default_factory=dict)

    def dataset(self, choice: ColumnChoice) -> Dataset:
        """Return what is chosen as a dataset.

        Raises:
            DataError: it cannot be used; the message says why.
        """
        return make_dataset(
            self.table,
            choice.text or "",
            choice.labels,
            merge=choice.merge,
            leave_out=choice.leave_out,
            limits=self.limits,
        )

    def upload(self, data: Dataset, encoder: "Encoder") -> RowReport:
        """Return what became of every row, the lengths of the texts counted."""
        return RowReport(self.table, data, self._count(data.texts, encoder), encoder.max_tokens)

    def _count(self, texts: Sequence[str], encoder: "Encoder") -> np.ndarray:
        new = [text for text in dict.fromkeys(texts) if (encoder.name, text) not in self._tokens]
        self._tokens |= {
            (encoder.name, text): count for text, count in zip(new, encoder.count_tokens(new).tolist(), strict=True)
        }
        return np.array([self._tokens[encoder.name, text] for text in texts])


def chosen(draft: UploadDraft | None) -> UploadDraft:
    """Return the draft.

    Raises:
        DataError: there is none yet.
    """
    if draft is None:
        raise DataError("Choose a file or the sample first.")
    return draft
