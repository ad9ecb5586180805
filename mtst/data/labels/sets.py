"""The labels of a row as one number: an index in a single-label task, a bit mask in a multi-label task.

Bit k of a mask says that the row has label k, so 0 is a row that has none of the labels. A negative number is a row
that nobody has labelled for the task, in either kind.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from mtst.data.tasks import Task


def label_indices(task: Task, value: int) -> tuple[int, ...]:
    """Return the indices of the labels that a row has; empty if it has none, or is not labelled."""
    if value < 0:
        return ()
    if not task.multi:
        return (value,)
    return tuple(index for index in range(value.bit_length()) if value >> index & 1)


def to_mask(indices: Iterable[int]) -> int:
    """Return the bit mask of a set of label indices."""
    mask = 0
    for index in indices:
        mask |= 1 << index
    return mask


def multi_hot(values: Sequence[int], labels: int) -> np.ndarray:
    """Return masks as a matrix (n, labels) of bools; a row that is not labelled has no label there."""
    width = (labels + 7) // 8
    packed = b"".join(max(0, value).to_bytes(width, "little") for value in values)
    bits = np.unpackbits(np.frombuffer(packed, np.uint8).reshape(len(values), width), axis=1, bitorder="little")
    return bits[:, :labels].astype(bool)


def to_masks(matrix: np.ndarray) -> tuple[int, ...]:
    """Return the rows of a matrix (n, labels) of bools as masks."""
    return tuple(int.from_bytes(row.tobytes(), "little") for row in np.packbits(matrix, axis=1, bitorder="little"))


def is_labelled(values: Sequence[int]) -> np.ndarray:
    """Return for each row whether it is labelled (n,)."""
    return np.fromiter((value >= 0 for value in values), bool, len(values))


def describe_labels(task: Task, value: int) -> str:
    """Return the labels of a row in words."""
    if value < 0:
        return "–"
    return SEPARATOR.join(task.labels[index] for index in label_indices(task, value)) or NO_LABELS


SEPARATOR = "; "  # between the labels of a row, where they are shown or written
NO_LABELS = "(none)"  # of a row that has been labelled
