from mtst.ui.services import presses
from mtst.ui.services.presses import Presses


def test_only_the_first_of_several_quick_presses_on_a_page_counts(monkeypatch) -> None:
    clock = [10.0]
    monkeypatch.setattr(presses.time, "monotonic", lambda: clock[0])
    made = Presses()
    assert made.is_first("page")
    clock[0] += 0.1
    assert not made.is_first("page")
    assert made.is_first("another page")
    made.forget("another page")
    clock[0] += 0.1
    assert made.is_first("another page")
    clock[0] += presses.MOMENT_SECONDS
    assert made.is_first("page")
