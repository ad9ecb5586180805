"""The header of a table: whether the first row is one, how many columns there are, and their names."""

from collections.abc import Sequence


def names_columns(first: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row holds column names, not data.

    A name is no number, and no value of its column. Without rows below, the row is a header; a row below that repeats
    all of it is another header.
    """
    names = [cell.strip() for cell in first]
    if not rows:
        return True
    if any(_is_number(name) for name in names):
        return False
    below = zip(
        *(row[: len(names)] for row in rows if len(row) >= len(names) and list(row) != list(first)), strict=True
    )
    return not any(
        name and name.casefold() in {cell.strip().casefold() for cell in column}
        for name, column in zip(names, below, strict=False)
    )


def count_columns(first: Sequence[str], rows: Sequence[Sequence[str]], *, header: bool) -> int:
    """Return the number of columns of a table, from its first row and some rows below.

    Blank cells at the end of the first row do not count if no other row is as long. A header that is one cell shorter
    than every row, as R writes it, lacks the name of the first column, unless every row just ends in a delimiter.
    """
    count = len(first)
    longest = max(map(len, rows), default=count)
    while count > longest and not first[count - 1].strip():
        count -= 1
    row_names = all(len(row) == count + 1 for row in rows) and any(row[-1].strip() for row in rows)
    return count + (header and row_names)


def column_names(first: Sequence[str], count: int) -> tuple[str, ...]:
    """Return `count` unique names: the stripped cells, a number for a blank one, a suffix for a repeated one.

    If the row is one cell short, as R writes it, the first column holds the row names.
    """
    cells = ["", *first] if len(first) == count - 1 else list(first[:count])
    names: dict[str, None] = {}
    for number, cell in enumerate(cells, 1):
        name = base = cell.strip("\ufeff").strip() or f"column {number}"
        copies = 1
        while name in names:
            copies += 1
            name = f"{base} ({copies})"
        names[name] = None
    return tuple(names)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
