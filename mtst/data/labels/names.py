"""The values of a column as labels: which are similar, how they are sorted, and which are rare."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from mtst.text import normalize_unicode

RARE_SHARE = 0.25  # of an even share of the rows
MIN_ROWS = 8
MAX_DIGITS = 20  # a longer number is sorted as text


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
    return " ".join(normalize_unicode(label).casefold().split())


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
