import asyncio

import pytest

from mtst.runs.job import Job
from mtst.training.config import TrainConfig
from mtst.ui.train.results import embedding_changes


@pytest.fixture
def run(services, sample, tiny_folder):
    """A run that has moved a tiny encoder."""
    config = TrainConfig("train-all", epochs=2, batch_size=8, encoder_rate=0.05)
    token = services.runs.submit(Job(str(tiny_folder()), config, "my.csv"), sample)

    async def wait():
        return [history async for history in services.runs.follow(token)][-1]

    asyncio.run(asyncio.wait_for(wait(), 60))
    return token


def test_a_run_is_shown_from_before_training_to_its_end(services, run):
    view = embedding_changes.open_changes(services, run)
    assert (view.nothing["visible"], view.shown["visible"]) == (False, True)
    assert (view.epoch["maximum"], view.task["value"]) == (2, "topic")
    first, told = embedding_changes.draw_epoch(services, run, 0, "topic")
    assert "has changed by 0.00 on average" in told
    last, after = embedding_changes.draw_epoch(services, run, 2, "sentiment")
    assert "Largest changes" in after
    assert first["value"]["layout"]["xaxis"]["range"] == last["value"]["layout"]["xaxis"]["range"]
    assert {trace["name"] for trace in last["value"]["data"]} <= {"negative", "neutral", "positive", "no label"}
    points = sum(len(trace["x"]) for trace in last["value"]["data"])
    assert points == len(embedding_changes.rows_of(services.runs.folder(run)))


@pytest.mark.parametrize("token", [None, "x" * 32])
def test_without_a_run_there_is_nothing_to_see(services, token):
    view = embedding_changes.open_changes(services, token)
    assert (view.nothing["visible"], view.shown["visible"]) == (True, False)
    figure, told = embedding_changes.draw_epoch(services, token, 1, None)
    assert not figure["visible"]
    assert told == ""


def test_all_epochs_are_played_once_and_many_in_few_steps(monkeypatch):
    monkeypatch.setattr(embedding_changes, "SECONDS_PER_STEP", 0)

    async def played(last):
        return [epoch async for epoch in embedding_changes.play_epochs(last)]

    assert asyncio.run(played(3)) == [0, 1, 2, 3]
    long = asyncio.run(played(100))
    assert (long[0], long[-1]) == (0, 100)
    assert len(long) <= embedding_changes.MAX_STEPS + 1
    assert asyncio.run(played(0)) == [0]
