"""Sets that are small or skewed in every way that real ones are: training them never crashes and never gives a NaN."""

import math

import pytest
import torch

from mtst.data.dataset import UNLABELLED, Dataset
from mtst.data.tasks import Task
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training.config import BALANCES, TrainConfig
from mtst.training.events import EpochEnded, Finished, StepEnded
from mtst.training.fitting import fit


def dataset(**columns):
    """A dataset of label indices by task; each row has a text of its own."""
    count = len(next(iter(columns.values())))
    tasks = tuple(Task(name, tuple(f"{name} {n}" for n in range(max(values) + 1))) for name, values in columns.items())
    texts = tuple(f"the {n} and {'the ' * (n % 7)}" for n in range(count))
    return Dataset(texts, tasks, {name: tuple(values) for name, values in columns.items()}, tuple(range(count)))


SETS = {
    "three rows": dataset(mood=[0, 0, 1]),
    "a label of one row": dataset(mood=[0] * 9 + [1]),
    "labels of one row each but one": dataset(mood=[0, 0, 1, 2, 3, 4, 5, 6]),
    "one in a hundred": dataset(mood=[0] * 99 + [1]),
    "77 labels": dataset(mood=[n % 77 for n in range(2 * 77)]),
    "150 labels": dataset(mood=[n % 150 for n in range(2 * 150)]),
    "a task of hardly any labels": dataset(mood=[0, 1] * 20, topic=[0, 1, 0, 1] + [UNLABELLED] * 36),
    "no row with two labels": dataset(mood=[0, 1, 0, 1, -1, -1, -1, -1], topic=[-1, -1, -1, -1, 0, 1, 0, 1]),
    "eight tasks": dataset(**{f"task {n}": [row // (n + 1) % 2 for row in range(16)] for n in range(8)}),
}


@pytest.mark.parametrize("data", SETS.values(), ids=SETS)
@pytest.mark.parametrize("balance", BALANCES)
def test_small_and_skewed_sets_are_trained(tiny_encoder, data, balance):
    model = MultiTaskSentenceTransformer(tiny_encoder, data.tasks)
    events = list(fit(model, data, TrainConfig(epochs=2, batch_size=8, head_rate=0.1, balance=balance)))
    assert isinstance(events[-1], Finished)
    for event in events:
        if isinstance(event, StepEnded):
            assert all(map(math.isfinite, event.losses.values()))
        elif isinstance(event, EpochEnded):
            assert event.validation
            assert all(math.isfinite(scores.loss) for scores in event.validation.values())
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())


@pytest.mark.parametrize("balance", BALANCES)
def test_all_layers_are_trained_on_batches_that_lack_a_task(tiny_encoder, balance):
    data = SETS["no row with two labels"]
    model = MultiTaskSentenceTransformer(tiny_encoder, data.tasks)
    events = list(fit(model, data, TrainConfig("train-all", epochs=2, batch_size=1, balance=balance)))
    steps = {tuple(event.losses) for event in events if isinstance(event, StepEnded)}
    assert steps == {("mood",), ("topic",)}
    assert isinstance(events[-1], Finished)
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())
