"""Labels that look odd: markers of missing values, lists, rows that are no data, errors of a spreadsheet."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from mtst.data.labels.columns import parse_list
from mtst.data.oddities.columns import ChosenColumns, plural
from mtst.data.oddities.treatments import LEAVE_OUT, MISSING
from mtst.data.readers.notes import Oddity, Treatment, shorten

# Cells that programs write where nothing is known; `None` and `?` may be meant, so a user decides.
MISSING_MARKERS = frozenset(
    (
        "na", "n/a", "n.a.", "#n/a", "#na", "nan", "-nan", "<na>", "null", "(null)", "none", "nil", "\\n", "-", "--",
        "—", "–", "?", "??", ".", "missing", "undefined", "unknown", "not available", "no answer", "k.a.", "nat",
        "<null>", "<none>", "(none)", "(blank)", "(missing)", "not applicable",
    )
)  # fmt: skip
ERROR_CELLS = frozenset(
    (
        "#N/A", "#NAME?", "#REF!", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#GETTING_DATA",
        "Err:502", "Err:504", "Err:508", "Err:509", "Err:511", "Err:512", "Err:522",
    )
)  # fmt: skip
TOTALS = re.compile(
    r"(?:(?:grand |sub)?totals?|sum|count|average|mean|gesamt|summe|total général|somme|suma|итого|合计|総計):?", re.I
)
NESTED = re.compile(r"\[?\{\s*\"[^\"]*\"\s*:|\[\s*\[")
FORMULA = re.compile(r"=(?:[A-Z][A-Z0-9.]*\(|\$?[A-Z]{1,3}\$?\d+\b)")
EARLY_ROWS = 3  # in which a second header stands
EARLY_LABEL_ROWS = 10  # rows of other labels that make one early row odd
MARKERS_SHOWN = 6
REPEATED_SHARE = 0.95  # of the rows below an early one, whose labels occur more than once


def missing_labels(columns: ChosenColumns) -> Iterator[Oddity]:
    """Yield the labels that look like the marker of a missing value."""
    for name in columns.labels:
        for marker, count, line in _missing_markers(columns, columns.label_cells(name)):
            yield Oddity(
                "missing label",
                count,
                f"“{marker}” in column “{name}” looks like the mark of a missing value, but is a label: "
                f"{count:,} {plural(count, 'row')}.",
                line,
                marker,
                _blank(marker, f"Treat “{marker}” as no label: {count:,} {plural(count, 'row')}"),
            )


def missing_texts(columns: ChosenColumns) -> Iterator[Oddity]:
    """Yield the texts that look like the marker of a missing value."""
    for marker, count, line in _missing_markers(columns, columns.label_cells(columns.text)):
        yield Oddity(
            "missing text",
            count,
            f"“{marker}” is the whole text of {count:,} {plural(count, 'row')}: it looks like the mark of a missing "
            "value.",
            line,
            marker,
            _blank(marker, f"Treat “{marker}” as no text: skip {count:,} {plural(count, 'row')}"),
        )


def _missing_markers(columns: ChosenColumns, cells: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """Yield the most frequent markers of a missing value, how often each occurs, and the line of the first."""
    markers = Counter(cell for cell in cells if cell.casefold() in MISSING_MARKERS or cell in ERROR_CELLS)
    for marker, count in markers.most_common(MARKERS_SHOWN):
        line, _ = columns.first(cells, marker.__eq__)
        yield marker, count, line


def _blank(marker: str, label: str) -> Treatment:
    return Treatment(MISSING, marker, label)


def second_header(columns: ChosenColumns) -> Iterator[Oddity]:
    """Yield rows near the top whose labels occur nowhere else, in columns that repeat all other labels."""
    for name in columns.labels:
        cells = columns.label_cells(name)
        counts = Counter(filter(None, cells))
        for row, cell in enumerate(cells[:EARLY_ROWS]):
            others = counts.total() - 1
            repeated = sum(count for label, count in counts.items() if count > 1)
            if counts[cell] == 1 and others >= EARLY_LABEL_ROWS and repeated >= REPEATED_SHARE * others:
                line = columns.table.lines[row]
                yield Oddity(
                    "second header",
                    1,
                    f"Label “{shorten(cell)}” of column “{name}” occurs once, on line {line:,}, and other labels "
                    "more often: the row may be a second header or a description of the columns.",
                    line,
                    shorten(cell),
                    Treatment(LEAVE_OUT, str(line), f"Leave out line {line:,}"),
                )


def total_row(columns: ChosenColumns) -> Iterator[Oddity]:
    """Yield a last row that sums up the others."""
    if not columns.table.rows:
        return
    row, line = columns.table.rows[-1], columns.table.lines[-1]
    filled = [cell.strip() for cell in row if cell.strip()]
    if len(filled) > 1 and TOTALS.fullmatch(filled[0]) and all(map(_is_number, filled[1:])):
        yield Oddity(
            "total row",
            1,
            f"The last row, line {line:,}, looks like a total of the others.",
            line,
            shorten(" ".join(filled)),
            Treatment(LEAVE_OUT, str(line), f"Leave out line {line:,}"),
        )


def _is_number(text: str) -> bool:
    return text.strip("%$€£ ").replace(",", "").replace(".", "").isdigit()


def list_labels(columns: ChosenColumns) -> Iterator[Oddity]:
    """Yield the columns whose labels are lists: one with one entry is that label, an empty one is none."""
    for name in columns.single:
        cells = columns.label_cells(name)
        entries = {cell: parse_list(cell) for cell in set(cells)}
        lists = [cell for cell in cells if entries[cell] is not None]
        if lists:
            line, example = columns.first(cells, lists[0].__eq__)
            empty = sum(not any(entries[cell] or ()) for cell in lists)
            yield Oddity(
                "list labels",
                len(lists),
                f"{len(lists):,} {plural(len(lists), 'cell')} of column “{name}” "
                f"{'is a list' if len(lists) == 1 else 'are lists'}: a list with one entry is read as that label, an "
                f"empty one as no label ({empty:,} {plural(empty, 'row')}).",
                line,
                example,
            )


def nested_cells(columns: ChosenColumns) -> Iterator[Oddity]:
    """Yield the columns in use whose cells are objects or lists of objects or lists: they are read as they stand."""
    for name in (columns.text, *columns.single):
        yield from _used_as_written(
            columns, name, "nested values", _is_nested, ("nested JSON", "nested JSON"),
            "To use a value inside, write it to a column of its own.",
        )  # fmt: skip


def _is_nested(cell: str) -> bool:
    return NESTED.match(cell) is not None and parse_list(cell) is None


def formula_texts(columns: ChosenColumns) -> Iterator[Oddity]:
    """Yield the columns in use whose cells are formulas in place of their results, as a sheet of formulas is saved."""
    for name in (columns.text, *columns.labels):
        yield from _used_as_written(
            columns, name, "formula texts", _is_formula, ("a formula of a spreadsheet", "formulas of a spreadsheet"),
            "Save the file again with results in place of formulas.",
        )  # fmt: skip


def _is_formula(cell: str) -> bool:
    return FORMULA.match(cell) is not None


def _used_as_written(
    columns: ChosenColumns, name: str, kind: str, fits: Callable[[str], bool], words: tuple[str, str], remedy: str
) -> Iterator[Oddity]:
    """Yield a column some of whose cells are a text or a label as a whole, though hardly meant so.

    `words` says what one such cell is, and what several are.
    """
    cells = columns.label_cells(name)
    if count := sum(map(fits, cells)):
        line, example = columns.first(cells, fits)
        cells_are = f"1 cell is {words[0]}" if count == 1 else f"{count:,} cells are {words[1]}"
        use = "a text" if name == columns.text else "a label"
        sentence = f"In column “{name}” {cells_are}, used as {use} exactly as written. {remedy}"
        yield Oddity(kind, count, sentence, line, example)


def error_cells(columns: ChosenColumns) -> Iterator[Oddity]:
    """Yield the columns that hold a spreadsheet's errors but are not used, so that no other check says it."""
    for name in columns.table.columns:
        if name in (columns.text, *columns.labels):
            continue
        cells = columns.label_cells(name)
        if count := sum(cell in ERROR_CELLS for cell in cells):
            line, example = columns.first(cells, ERROR_CELLS.__contains__)
            yield Oddity(
                "error cells",
                count,
                f"{count:,} {plural(count, 'cell')} of column “{name}” {'is an error' if count == 1 else 'are errors'} "
                "of a spreadsheet formula.",
                line,
                example,
            )


def blank_columns(columns: ChosenColumns) -> Iterator[Oddity]:
    """Yield the columns without any value, which cannot hold labels."""
    blank = [name for name in columns.table.columns if not any(map(str.strip, columns.table.column(name)))]
    named = [name for name in blank if not name.startswith("column ")]
    if named:
        yield Oddity(
            "blank columns",
            len(named),
            f"{plural(len(named), 'Column').capitalize()} {', '.join(f'“{name}”' for name in named[:MARKERS_SHOWN])} "
            f"{'has' if len(named) == 1 else 'have'} no value in any row.",
        )
