"""Work that takes long: it says how far it is, waits for others where it must, and ends with whoever asked for it."""

import threading
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

import pytest

from mtst.ui.app import build_app
from mtst.ui.components import progress
from mtst.ui.predict import file_predictions
from mtst.ui.services import executors
from mtst.ui.services.model_data import STARTER
from mtst.ui.services.services import Services
from mtst.ui.train import model_download
from mtst.ui.train.form import data_quality
from tests.ui.test_handlers import sample, shown, value

PATIENCE = 60  # seconds after which what should have ended hangs
LONG = "predict-file", "train-check", "train-pack"  # buttons whose work takes long


@contextmanager
def occupied(executor: Executor) -> Iterator[None]:
    """Let another visitor's work take the only thread of an executor."""
    hold = threading.Event()
    other = executor.submit(hold.wait, PATIENCE)
    try:
        yield
    finally:
        hold.set()
        other.result(PATIENCE)


def test_a_file_is_predicted_step_by_step_and_only_as_long_as_somebody_waits(services: Services, write_csv) -> None:
    rows = "\n".join(f"{number} {'more words ' * 4}" for number in range(700))
    table = file_predictions.read_file(services, write_csv(f"text\n{rows}\n")).table
    steps = file_predictions.predict_file(services, table, "text", STARTER, None)
    told = [next(steps), next(steps)]
    assert not any(shown(file) for file, _ in told)
    assert "512 of 700 sentences embedded" in value(told[1][1])
    steps.close()
    *_, (file, done) = file_predictions.predict_file(services, table, "text", STARTER, None)
    assert shown(file)
    assert "700 rows predicted" in value(done)


def test_a_large_file_waits_for_those_of_others_and_says_so(
    services: Services, write_csv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "LARGE", 1)
    table = file_predictions.read_file(services, write_csv("text\nhello there\ngood day\n")).table
    permits = services.executors.large_embeddings
    for _ in range(executors.LARGE_EMBEDDINGS):
        permits.acquire()
    steps = file_predictions.predict_file(services, table, "text", STARTER, None)
    next(steps)
    assert "Waiting while others embed large files" in value(next(steps)[1])
    permits.release(executors.LARGE_EMBEDDINGS)
    assert shown([*steps][-1][0])


def test_looking_for_doubtful_rows_says_that_it_waits(services: Services) -> None:
    data = sample(services)
    with occupied(services.executors.data_quality):
        views = data_quality.find_doubtful_rows(services, data)
        message = ""
        while "Waiting for others to finish" not in message:
            message = next(views).findings["value"]
    assert "found among 600 rows" in [*views][-1].findings["value"]


def test_packing_says_so_at_once_and_that_it_waits(services: Services) -> None:
    with occupied(services.executors.packing):
        views = model_download.pack_model(services, None)
        first = next(views)
        assert not first.download["visible"]
        assert "Packing the model" in first.packing["value"]
        assert "Waiting for others to finish" in next(views).packing["value"]
    assert "Train one first" in [*views][-1].packing["value"]


def test_nothing_that_takes_long_keeps_another_kind_of_work_waiting(services: Services) -> None:
    demo = build_app(services)
    events = list(demo.fns.values())
    for elem_id in LONG:
        (button,) = (number for number, block in demo.blocks.items() if block.elem_id == elem_id)
        (event,) = (each for each in events if (button, "click") in each.targets)
        assert [each for each in events if each.concurrency_id == event.concurrency_id] == [event], elem_id
