"""The values of a column as labels: which are similar, how they are sorted, and which are rare."""

import ast
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable

RARE_SHARE = 0.25  # of an even share of the rows
MIN_ROWS = 8
LONGEST_LIST = 1_000  # characters
MAX_DIGITS = 20  # a longer number is sorted as text


def unwrap_list(cell: str) -> str:
    """Return the only entry of a list, nothing for an empty list, and any other cell unchanged.

    Annotation tools write such lists. The list is written as in JSON or Python: `["positive"]`, `['positive']`, `[1]`.
    """
    stripped = cell.strip()
    if not (stripped.startswith("[") and stripped.endswith("]")) or len(stripped) > LONGEST_LIST:
        return cell
    try:
        entries = ast.literal_eval(stripped)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return cell
    if not isinstance(entries, list) or len(entries) > 1 or not all(isinstance(each, str | int) for each in entries):
        return cell
    return str(entries[0]) if entries else ""


def trim_labels(cells: Iterable[str]) -> dict[str, str]:
    """Return the label of each distinct cell: stripped, unless that would make two labels one."""
    trimmed: defaultdict[str, set[str]] = defaultdict(set)
    for cell in set(cells):
        if name := cell.strip():
            trimmed[name].add(cell)
    return {cell: name if len(same) == 1 else cell for name, same in trimmed.items() for cell in same}


def sort_labels(labels: Iterable[str]) -> tuple[str, ...]:
    """Return the distinct labels in order: by number if all of them are whole numbers, alphabetically otherwise."""
    distinct = set(labels)
    whole = all(label.isascii() and label.removeprefix("-").isdigit() for label in distinct)
    return tuple(sorted(distinct, key=lambda label: (int(label) if whole and len(label) < MAX_DIGITS else 0, label)))


def normalize_label(label: str) -> str:
    """Return a label without case, width of letters and repeated blanks: the same for similar labels."""
    return " ".join(unicodedata.normalize("NFKC", label).casefold().split())


def group_similar(counts: Counter[str]) -> tuple[tuple[str, ...], ...]:
    """Return groups of labels that differ only in case, width of letters or blanks; the most frequent label first."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for label in counts:
        groups[normalize_label(label)].append(label)
    similar = (group for group in groups.values() if len(group) > 1)
    return tuple(sorted(tuple(sorted(group, key=lambda label: (-counts[label], label))) for group in similar))


def rare_labels(counts: dict[str, int]) -> tuple[str, ...]:
    """Return the labels with fewer than eight rows, or less than a quarter of an even share, the rarest first."""
    threshold = max(MIN_ROWS, RARE_SHARE * sum(counts.values()) / max(1, len(counts)))
    return tuple(
        sorted((label for label, count in counts.items() if count < threshold), key=lambda label: counts[label])
    )
