import pytest

from mtst.ui.components.run_status import rough_duration


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (7.6, "8 s"), (43, "40 s"), (118, "2 min"), (7200, "2.0 h")]
)
def test_an_expected_time_is_rough(seconds: float, words: str) -> None:
    assert rough_duration(seconds) == words
