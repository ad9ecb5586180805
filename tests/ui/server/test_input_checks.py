"""How many values a call may hold."""

import httpx2
import pytest

from mtst.ui.server.input_checks import has_more_values
from tests.browser.conftest import Host


@pytest.mark.parametrize(
    ("value", "count"),
    [("text" * 100, 0), (None, 0), ([], 0), ([1, 2, 3], 3), ([[1, 2], [3]], 5), ({"a": [1, {"b": 2}]}, 4)],
)
def test_values_are_counted_at_every_depth(value: object, count: int) -> None:
    assert not has_more_values(value, count)
    assert has_more_values([value], count)


def test_a_deep_value_is_no_trouble() -> None:
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    assert has_more_values(deep, 99_999)
    while deep:  # else its end would take the interpreter's stack
        deep = deep.pop()


def test_millions_of_numbers_are_refused_where_sentences_are_expected(host: Host) -> None:
    numbers = {"data": [[[1] * 1_000_000], ""]}
    answer = httpx2.post(f"{host.url}gradio_api/run/predict", json=numbers, timeout=60)
    assert (answer.status_code, answer.json()["error"]) == (500, "At most 100,000 values fit into a call.")
