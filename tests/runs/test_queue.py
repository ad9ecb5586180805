import threading

import pytest

from mtst.runs.queue import QueuePosition, RunQueue


def order(queue):
    """Take all that wait, one after another."""
    taken = []
    while queue.tokens:
        taken.append(queue.get())
        queue.task_done()
    return taken


@pytest.mark.parametrize(
    ("arrivals", "expected"),
    [
        ("a1 b1 c1", "a1 b1 c1"),
        ("a1 a2 a3 b1", "a1 b1 a2 a3"),
        ("a1 a2 b1 b2 c1", "a1 b1 c1 a2 b2"),
        ("1 2 3", "1 2 3"),  # nobody is known
    ],
)
def test_nobodys_second_run_goes_before_somebodys_first(arrivals, expected):
    queue = RunQueue()
    for token in arrivals.split():
        queue.put(token, token[:1] if token.isalnum() and not token.isdigit() else "")
    places = {token: queue.position(token) for token in arrivals.split()}
    assert sorted(places, key=lambda token: places[token].number) == expected.split()
    assert {place.total for place in places.values()} == {len(places)}


def test_whose_run_is_running_comes_after_those_who_wait():
    queue = RunQueue()
    queue.put("a1", "a")
    assert queue.get() == "a1"
    queue.put("a2", "a")
    queue.put("b1", "b")
    assert (queue.position("b1").number, queue.position("a2").number, queue.position("a1")) == (1, 2, None)
    assert (queue.count("a"), queue.count("b"), queue.count("c")) == (2, 1, 0)
    assert queue.running == "a1"
    queue.task_done()
    assert order(queue) == ["a2", "b1"]


def test_who_leaves_is_passed_over():
    queue = RunQueue()
    for token in "abc":
        queue.put(token)
    assert queue.remove("b")
    assert not queue.remove("b")
    assert queue.position("c") == QueuePosition(2, 2, None)
    assert order(queue) == ["a", "c"]


def test_the_wait_follows_the_run_that_runs_and_those_before():
    queue = RunQueue()
    for token in "abc":
        queue.put(token)
    queue.get()
    assert queue.position("b") == QueuePosition(1, 2, None)
    queue.set_remaining(30.0)
    assert queue.position("b") == QueuePosition(1, 2, 30.0)
    assert queue.position("c").seconds is None  # how long b takes is not known yet
    queue.task_done()
    queue.get()
    queue.set_remaining(5.0)
    assert queue.position("c").seconds == pytest.approx(5.0, abs=0.5)


def test_taking_waits_for_a_run():
    queue, taken = RunQueue(), []
    thread = threading.Thread(target=lambda: taken.append(queue.get()))
    thread.start()
    assert not taken
    queue.put("late")
    thread.join(10)
    assert taken == ["late"]
