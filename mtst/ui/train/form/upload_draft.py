"""A visitor's file on its way to a run: the table, and the lengths of its texts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mtst.data.dataset import Dataset, make_dataset
from mtst.data.labels.choice import LabelChoice
from mtst.data.limits import Limits
from mtst.data.oddities.finding import find_oddities
from mtst.data.oddities.treatments import NOTHING, Treatments, treat
from mtst.data.readers.notes import Oddity
from mtst.data.readers.options import DETECT, ReadOptions
from mtst.data.row_report import RowReport
from mtst.data.table import Table

if TYPE_CHECKING:
    from mtst.encoders.encoder import Encoder


@dataclass(frozen=True)
class ColumnChoice:
    """What a visitor chooses of a table: columns, merging of similar labels, treatments, and lines to leave out.

    `several` are the columns whose cells hold several labels each; None stands for those that are guessed to.
    """

    text: str | None
    labels: tuple[str, ...]
    merge: bool = False
    leave_out: frozenset[int] = frozenset()
    treatments: Treatments = NOTHING
    several: tuple[str, ...] | None = None


@dataclass(eq=False)
class UploadDraft:
    """One visitor's file or dataset; `read` reads it again, in another way.

    The tokens of a text are counted once for each encoder, however often the choice changes.
    """

    read: Callable[[ReadOptions], Table]
    table: Table
    limits: Limits
    options: ReadOptions = DETECT
    _token_counts: dict[tuple[str, str, str], int] = field(default_factory=dict)  # by encoder, prompt and text

    def dataset(self, choice: ColumnChoice) -> Dataset:
        """Return the chosen columns and rows as a dataset.

        Raises:
            DataError: they cannot be used.
        """
        return make_dataset(
            treat(self.table, choice.treatments),
            choice.text or "",
            self.label_choice(choice).columns(self.table),
            merge=choice.merge,
            leave_out=choice.leave_out,
            limits=self.limits,
        )

    def label_choice(self, choice: ColumnChoice) -> LabelChoice:
        """Return the columns of labels.

        Raises:
            DataError: there is no such column.
        """
        return LabelChoice.of(self.table, choice.labels, choice.several)

    def oddities(self, choice: ColumnChoice) -> tuple[Oddity, ...]:
        """Return what looks odd in the file before any treatment.

        Raises:
            DataError: the table has no such columns.
        """
        return find_oddities(self.table, choice.text or "", self.label_choice(choice).columns(self.table))

    def row_report(self, data: Dataset, encoder: "Encoder") -> RowReport:
        """Return what happened to every row, with the lengths of the texts in tokens."""
        return RowReport(self.table, data, self._count_tokens(data.texts, encoder), encoder.max_tokens)

    def _count_tokens(self, texts: Sequence[str], encoder: "Encoder") -> list[int]:
        key = encoder.name, encoder.prompt
        new = [text for text in dict.fromkeys(texts) if (*key, text) not in self._token_counts]
        counts = encoder.count_tokens(new).tolist()
        self._token_counts |= {(*key, text): count for text, count in zip(new, counts, strict=True)}
        return [self._token_counts[*key, text] for text in texts]
