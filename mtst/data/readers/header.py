"""The first row of a table: does it name the columns, and what are they called?"""

from collections.abc import Sequence


def names_columns(first: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Tell whether the first row holds names rather than data: a name is no number, and not a value of its column.

    With no rows below, it does; a row that repeats it as a whole is another header.
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
    """Return how many columns a table has, given its first row and some of those below.

    Blank cells at the end of the first row do not count if no other row is as long. A header that is one cell shorter
    than each row, as R writes it, lacks the name of the first column; unless each row merely ends in a delimiter.
    """
    count = len(first)
    longest = max(map(len, rows), default=count)
    while count > longest and not first[count - 1].strip():
        count -= 1
    row_names = all(len(row) == count + 1 for row in rows) and any(row[-1].strip() for row in rows)
    return count + (header and row_names)


def column_names(first: Sequence[str], count: int) -> tuple[str, ...]:
    """Return `count` different names: cells without blanks around them, a blank one numbered, a repeated one suffixed.

    Where the row is one cell short, as R writes it, the first column is that of the row names.
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
