"""About how much memory a value takes: of long lists a few elements are looked at, drawn at random."""

import random
import sys
from collections.abc import Collection

import numpy as np

SAMPLES = 40
MAX_DEPTH = 6  # a table is a dataclass with a list of lists of texts


def held_bytes(value: object, depth: int = MAX_DEPTH) -> int:
    """Return about how many bytes a value takes, with what it holds."""
    own = sys.getsizeof(value, 0)
    if depth == 0 or isinstance(value, str | bytes):
        return own
    if isinstance(value, np.ndarray):
        return own + (0 if value.base is None else value.nbytes)
    if isinstance(value, dict):
        return own + _sampled(value.keys(), depth) + _sampled(value.values(), depth)
    if isinstance(value, list | tuple | set | frozenset):
        return own + _sampled(value, depth)
    fields = getattr(value, "__dict__", {}) if not isinstance(value, type) else {}
    return own + sum(held_bytes(each, depth - 1) for each in [*fields.values()])


def _sampled(values: Collection[object], depth: int) -> int:
    elements = values if isinstance(values, list | tuple) else [*values]
    if len(elements) <= SAMPLES:
        return sum(held_bytes(each, depth - 1) for each in elements)
    drawn = random.sample(elements, SAMPLES)  # an attacker cannot foresee it all the same
    return round(len(elements) / SAMPLES * sum(held_bytes(each, depth - 1) for each in drawn))
