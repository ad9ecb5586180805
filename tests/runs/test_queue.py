import threading

import pytest

from mtst.runs.queue import QueuePosition, RunQueue


def order(line):
    """Take all that wait, one after another."""
    taken = []
    while line.tokens:
        taken.append(line.take())
        line.done()
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
    line = RunQueue()
    for token in arrivals.split():
        line.join(token, token[:1] if token.isalnum() and not token.isdigit() else "")
    places = {token: line.place(token) for token in arrivals.split()}
    assert sorted(places, key=lambda token: places[token].number) == expected.split()
    assert {place.of for place in places.values()} == {len(places)}


def test_whose_run_is_running_comes_after_those_who_wait():
    line = RunQueue()
    line.join("a1", "a")
    assert line.take() == "a1"
    line.join("a2", "a")
    line.join("b1", "b")
    assert (line.place("b1").number, line.place("a2").number, line.place("a1")) == (1, 2, None)
    assert (line.count("a"), line.count("b"), line.count("c")) == (2, 1, 0)
    assert line.running == "a1"
    line.done()
    assert order(line) == ["a2", "b1"]


def test_who_leaves_is_passed_over():
    line = RunQueue()
    for token in "abc":
        line.join(token)
    assert line.leave("b")
    assert not line.leave("b")
    assert line.place("c") == QueuePosition(2, 2, None)
    assert order(line) == ["a", "c"]


def test_the_wait_follows_the_run_that_runs_and_those_before():
    line = RunQueue()
    for token in "abc":
        line.join(token)
    line.take()
    assert line.place("b") == QueuePosition(1, 2, None)
    line.expect(30.0)
    assert line.place("b") == QueuePosition(1, 2, 30.0)
    assert line.place("c").seconds is None  # how long b takes is not known yet
    line.done()
    line.take()
    line.expect(5.0)
    assert line.place("c").seconds == pytest.approx(5.0, abs=0.5)


def test_taking_waits_for_a_run():
    line, taken = RunQueue(), []
    thread = threading.Thread(target=lambda: taken.append(line.take()))
    thread.start()
    assert not taken
    line.join("late")
    thread.join(10)
    assert taken == ["late"]
