import tracemalloc
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest

from mtst.ui.server.fairness.held_bytes import held_bytes


@dataclass
class Held:
    rows: list
    more: dict


def table() -> Held:
    return Held([[f"{row} {column}" for column in range(20)] for row in range(2_000)], {"a": 1})


def of_different_lengths() -> tuple[str, ...]:
    return tuple("x" * (number % 100) * 100 for number in range(4_000))


@pytest.mark.parametrize(
    "make", [table, of_different_lengths, partial(np.zeros, (300, 384)), lambda: {f"{n}": "x" * n for n in range(999)}]
)
def test_it_is_about_what_python_allocates(make) -> None:
    tracemalloc.start()
    value = make()
    allocated, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 0.6 * allocated < held_bytes(value) < 1.6 * allocated
