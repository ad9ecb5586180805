"""The values of a column as labels: which are the same but for case and blanks, and which are rare."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable

RARE_SHARE = 0.25  # of an even share of the rows
FEW_ROWS = 8
DIGITS = 20  # of a number that orders labels


def trim_labels(cells: Iterable[str]) -> dict[str, str]:
    """Return the label for each different cell: without blanks around it, unless that would make two labels one."""
    trimmed: defaultdict[str, set[str]] = defaultdict(set)
    for cell in set(cells):
        if name := cell.strip():
            trimmed[name].add(cell)
    return {cell: name if len(same) == 1 else cell for name, same in trimmed.items() for cell in same}


def sort_labels(labels: Iterable[str]) -> tuple[str, ...]:
    """Return different labels in order: by number if all of them are whole numbers, by letter otherwise."""
    different = set(labels)
    whole = all(label.isascii() and label.removeprefix("-").isdigit() for label in different)
    return tuple(sorted(different, key=lambda label: (int(label) if whole and len(label) < DIGITS else 0, label)))


def normalize_label(label: str) -> str:
    """Return what stays of a label without case, width of letters and blanks: the same for labels that are alike."""
    return " ".join(unicodedata.normalize("NFKC", label).casefold().split())


def group_similar(counts: Counter[str]) -> tuple[tuple[str, ...], ...]:
    """Return the groups of labels that differ only in case, width of letters or blanks, the most frequent first."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for label in counts:
        groups[normalize_label(label)].append(label)
    several = (group for group in groups.values() if len(group) > 1)
    return tuple(sorted(tuple(sorted(group, key=lambda label: (-counts[label], label))) for group in several))


def rare_labels(counts: dict[str, int]) -> tuple[str, ...]:
    """Return the labels with fewer than eight rows, or less than a quarter of an even share, the rarest first."""
    least = max(FEW_ROWS, RARE_SHARE * sum(counts.values()) / max(1, len(counts)))
    return tuple(sorted((label for label, count in counts.items() if count < least), key=lambda label: counts[label]))
