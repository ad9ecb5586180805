"""Which columns hold labels, and which of them several a row: as guessed from their cells, or as chosen."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from mtst.data.labels.columns import FLAGS, LabelColumns, parse_list
from mtst.data.table import Table

SEPARATORS = (";", "|", "#", "\n", ",")  # that are guessed
MORE_SEPARATORS = (*SEPARATORS, "/", "&", "+")  # where the cells of a column are chosen to hold several labels
MIN_FLAG_COLUMNS = 3  # so many columns of 0 and 1 are guessed to be one task
MIN_LISTS = 0.9  # share of the filled cells that are lists in a column of lists
MIN_SEVERAL = 2  # distinct cells with several labels
MAX_LABELS = 200  # that a column could be split into
SAMPLE_CELLS, SAMPLE_DISTINCT = 2_000, 300  # the first cells that a guess looks at, and different ones among them
TABLE_CELLS = 50_000  # that guesses look at in all columns of a table: lists in cells take long to parse
MIN_RECOMBINED = 0.5  # share of the labels in such cells that occur in other cells too
FLAG_TASK = "labels"  # the name of a task that is made of columns of 0 and 1


def guess_label_columns(table: Table, columns: Sequence[str]) -> list[str | LabelColumns]:
    """Return columns of labels, those whose cells hold several labels as multi-label tasks.

    Their cells are lists, or what stands between separators recurs in other combinations, so that a label such as
    "food, drinks" stays whole.
    """
    separators = {name: guess_separator(table.column(name)) for name in columns}
    return [
        name if separator is None else LabelColumns(name, (name,), separator) for name, separator in separators.items()
    ]


def guess_flags(table: Table) -> LabelColumns | None:
    """Return all columns of 0 and 1 as one multi-label task, if there are three or more."""
    flags = tuple(name for name in table.columns if _holds_flags(table.column(name)))
    return LabelColumns(FLAG_TASK, flags) if len(flags) >= MIN_FLAG_COLUMNS else None


def sampled_cells(table: Table, name: str) -> list[str]:
    """Return the cells of evenly spaced rows that a guess looks at, stripped; fewer in a table of many columns.

    Raises:
        DataError: there is no such column.
    """
    rows = min(SAMPLE_CELLS, max(1, TABLE_CELLS // len(table.columns)))
    return [cell.strip() for cell in table.column(name)[:: max(1, -(-len(table.rows) // rows))]]


def _holds_flags(cells: Sequence[str]) -> bool:
    values = {cell.strip().lower() for cell in cells} - {""}
    return len(values) == 2 and values <= FLAGS.keys()


def guess_separator(cells: Sequence[str]) -> str | None:
    """Return what stands between the labels of a cell; None if every cell holds one label.

    Where the labels are lists it does not matter, and is a comma. Only the beginning of a column is looked at.
    """
    return _guess_separator(_sample(cells))


def _guess_separator(filled: Counter[str]) -> str | None:
    lists = {cell: entries for cell in filled if (entries := parse_list(cell)) is not None}
    if any(len(entries) > 1 for entries in lists.values()):
        share = sum(filled[cell] for cell in lists) / filled.total()
        several = sum(cell[:1] in "[({" for cell in filled)
        if share >= MIN_LISTS or len(lists) == several:
            return ","
    return next((separator for separator in SEPARATORS if _recombines(_split(filled, separator), separator)), None)


def may_hold_several(cells: Sequence[str]) -> bool:
    """Return whether the cells of a column could hold several labels each: some can be split, into few labels."""
    filled = _sample(cells)
    return (
        _guess_separator(filled) is not None
        or any(sum(len(members) > 1 for members in _split(filled, each)) >= MIN_SEVERAL for each in SEPARATORS)
        or any(_recombines(_split(filled, separator), separator) for separator in MORE_SEPARATORS)
    )


def _sample(cells: Sequence[str]) -> Counter[str]:
    """Return the first different cells that are not blank, and how often each occurs among the first cells."""
    filled: Counter[str] = Counter()
    for cell in cells[:SAMPLE_CELLS]:
        text = cell.strip()
        if text and (text in filled or len(filled) < SAMPLE_DISTINCT):
            filled[text] += 1
    return filled


def _split(cells: Iterable[str], separator: str) -> list[set[str]]:
    """Return the different parts of each cell; nothing if they are too many in all to be labels."""
    split: list[set[str]] = []
    labels: set[str] = set()
    for cell in cells:
        parts = {part.strip() for part in cell.split(separator, MAX_LABELS)} - {""}
        labels |= parts
        if len(labels) > MAX_LABELS:
            return []
        split.append(parts)
    return split


def _recombines(split: Sequence[set[str]], separator: str) -> bool:
    """Return whether the parts of cells occur in other cells too, as the labels of a multi-label task do."""
    several = [members for members in split if len(members) > 1]
    if len(several) < MIN_SEVERAL:
        return False
    occurs_in = Counter(part for members in split for part in members)
    combined = set().union(*several)
    recombined = sum(occurs_in[part] > 1 for part in combined)
    if recombined < MIN_RECOMBINED * len(combined):
        return False
    # Numbers with a decimal comma have two parts each, most of them; lists of label numbers have any number.
    numeric = all(part.isdigit() for part in combined)
    return not (numeric and separator == "," and all(len(members) <= 2 for members in split))


@dataclass(frozen=True)
class LabelChoice:
    """Which columns hold labels, and what is said about them.

    `LabelChoice(guessed=("topic", "tags"))` leaves it to the cells of both columns.

    Attributes:
        guessed: columns of which `guess_label_columns` says whether their cells hold several labels.
        multi: multi-label tasks, as `parse_label_columns` reads them.
        single: columns whose cells hold one label each.
    """

    guessed: tuple[str, ...] = ()
    multi: tuple[str, ...] = ()
    single: tuple[str, ...] = ()

    @classmethod
    def of(cls, table: Table, columns: Sequence[str], several: Collection[str] | None = None) -> Self:
        """Return the choice of some columns, or multi-label tasks as `parse_label_columns` reads them.

        Args:
            table: the table.
            columns: the columns.
            several: those whose cells hold several labels each; None for those that are guessed to.

        Raises:
            DataError: there is no such column.
        """
        plain = [name for name in columns if name in table.columns]
        guessed = {name for name in plain if guess_separator(table.column(name)) is not None}
        wanted = guessed if several is None else {name for name in plain if name in several}
        return cls(
            guessed=tuple(name for name in plain if (name in guessed) == (name in wanted)),
            multi=(*(name for name in plain if name in wanted - guessed), *(n for n in columns if n not in plain)),
            single=tuple(name for name in plain if name in guessed - wanted),
        )

    def columns(self, table: Table) -> list[str | LabelColumns]:
        """Return the columns of labels in a table.

        Raises:
            DataError: there is no such column.
        """
        forced = [parse_label_columns(table, text) for text in self.multi]
        return [*guess_label_columns(table, self.guessed), *forced, *self.single]


def parse_label_columns(table: Table, text: str) -> LabelColumns:
    """Return a multi-label task written as COLUMN, or as several columns of 0 and 1: [NAME=]COLUMN,COLUMN,….

    Raises:
        DataError: there is no such column.
    """
    name, equals, rest = text.partition("=")
    if text in table.columns or not equals:
        name, rest = "", text
    columns = (rest,) if rest in table.columns else tuple(part.strip() for part in rest.split(","))
    cells = [table.column(column) for column in columns]  # refuses a column that is not there
    if len(columns) > 1:
        return LabelColumns(name or FLAG_TASK, columns)
    return LabelColumns(name or rest, columns, guess_separator(cells[0]) or _likely_separator(cells[0]))


def _likely_separator(cells: Sequence[str]) -> str:
    """Return what stands between labels that are said to be several: what recombines them, or the most frequent."""
    counts = {separator: sum(separator in cell for cell in cells) for separator in SEPARATORS}
    frequent = max(SEPARATORS, key=lambda separator: counts[separator])
    if counts[frequent] >= MIN_SEVERAL:
        return frequent
    filled = _sample(cells)
    return next((each for each in MORE_SEPARATORS if _recombines(_split(filled, each), each)), frequent)
