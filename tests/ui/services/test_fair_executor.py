"""In what order visitors' work is done that cannot be sliced."""

import threading
from concurrent.futures import CancelledError

import pytest

from mtst.ui.services import fair_executor
from mtst.ui.services.fair_executor import FairExecutor

PATIENCE = 60


@pytest.fixture
def executor():
    executor = FairExecutor(1, "test")
    yield executor
    executor.shutdown()


def test_visitors_take_turns_whoever_asked_for_more(executor, monkeypatch) -> None:
    hold, order = threading.Event(), []
    executor.submit(hold.wait, PATIENCE)
    futures = []
    for visitor in ["greedy"] * 4 + ["modest", "late"]:
        monkeypatch.setattr(fair_executor, "current_visitor", lambda visitor=visitor: visitor)
        futures.append(executor.submit(order.append, visitor))
    hold.set()
    for future in futures:
        future.result(PATIENCE)
    assert order == ["greedy", "modest", "late", "greedy", "greedy", "greedy"]


def test_an_error_reaches_whoever_waits_and_the_next_goes_on(executor) -> None:
    failing = executor.submit(int, "no number")
    with pytest.raises(ValueError, match="no number"):
        failing.result(PATIENCE)
    assert executor.submit(int, "7").result(PATIENCE) == 7


def test_what_is_cancelled_or_waits_at_the_end_is_not_done(executor) -> None:
    hold, begun = threading.Event(), threading.Event()
    first = executor.submit(lambda: (begun.set(), hold.wait(PATIENCE)))
    begun.wait(PATIENCE)
    cancelled, waiting = executor.submit(int), executor.submit(int)
    assert cancelled.cancel()
    executor.shutdown(wait=False, cancel_futures=True)
    with pytest.raises(CancelledError):
        waiting.result(PATIENCE)
    hold.set()
    assert first.result(PATIENCE)[1]
