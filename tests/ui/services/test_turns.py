"""Whose turn it is to compute, where one visitor asks for much and another for little."""

import threading
import time
from types import SimpleNamespace

import gradio as gr
import pytest
from gradio.context import LocalContext

from mtst.ui.server.fairness.listeners import LEFT
from mtst.ui.services.turns import Turns

PATIENCE = 60


def test_whoever_comes_goes_before_the_rest_of_somebody_elses_work() -> None:
    turns, order, hold = Turns(at_once=1), [], threading.Event()

    def work(visitor: str, name: str) -> None:
        with turns.take(visitor):
            order.append(name)
            hold.wait(PATIENCE)

    def start(visitor: str, name: str) -> threading.Thread:
        thread = threading.Thread(target=work, args=(visitor, name))
        thread.start()
        time.sleep(0.02)  # so that they come in this order
        return thread

    threads = [start("greedy", f"greedy {number}") for number in range(4)]
    threads.append(start("modest", "modest"))
    hold.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert order == ["greedy 0", "modest", "greedy 1", "greedy 2", "greedy 3"]


def test_those_who_compute_take_turns() -> None:
    turns, order = Turns(at_once=1), []

    def work(visitor: str) -> None:
        for _ in range(8):
            with turns.take(visitor):
                order.append(visitor)
                time.sleep(0.01)

    threads = [threading.Thread(target=work, args=(visitor,)) for visitor in ("a", "a", "a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(order) == 32
    assert order.index("b") < 8
    assert len(order) - order[::-1].index("b") < 28  # it did not wait until the others had done all of theirs


def test_an_error_ends_the_turn() -> None:
    turns = Turns(at_once=1)
    for _ in range(2):
        try:
            with turns.take("a"):
                raise ValueError
        except ValueError:
            pass
    with turns.take("b"):
        pass


def test_whoever_has_left_gets_no_turn_and_leaves_it_to_others() -> None:
    turns = Turns(at_once=1)
    request = SimpleNamespace(scope={}, client=None)
    token = LocalContext.request.set(gr.Request(request))
    try:
        with turns.take_current():
            pass
        request.scope[LEFT] = True
        with pytest.raises(gr.Error, match="Nobody waits"), turns.take_current():
            raise AssertionError
    finally:
        LocalContext.request.reset(token)
    with turns.take_current():
        pass
