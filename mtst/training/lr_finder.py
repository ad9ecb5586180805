"""A range test for learning rates (Smith 2017, Cyclical Learning Rates for Training Neural Networks)."""

import math
import random
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace

from mtst.data.dataset import Dataset
from mtst.errors import SettingsError
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training.config import TrainConfig
from mtst.training.engine.trainer import Trainer
from mtst.training.events import RatesFound, RateTried, TrainingEvent
from mtst.training.planning import resolve_for, training_rows
from mtst.training.scenarios import find_scenario

STEPS = 100
LOWEST, HIGHEST = 1e-3, 1e2  # times the rates of the config
SMOOTHING = 0.9
BELOW = 0.1  # of the rates at which the loss is lowest: there it is about to rise
TOO_HIGH = 3.0  # times the lowest loss so far, after which nothing is learnt any more


def find_learning_rates(
    model: MultiTaskSentenceTransformer,
    data: Dataset,
    config: TrainConfig | None = None,
    *,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[TrainingEvent]:
    """Train a copy of a model with rates that rise from step to step; the model itself stays as it is.

    All groups that the run would ever open are open. The rates of heads and encoder rise together, in the proportion
    of the config. Yields `Started`, `RateTried` for each step, and `RatesFound` with a tenth of the rates at which
    the loss was lowest.

    Args:
        model: the model.
        data: all rows.
        config: how a run would train.
        should_stop: asked after every event; the test ends as soon as it returns True, with the best rates so far.

    Raises:
        SettingsError: the scenario is unknown, or trains nothing.
        DataError: there is too little to train and validate on.
    """
    requested = config or TrainConfig()
    config = replace(requested, decay="constant", warm_up=0.0, epochs=None)
    start = time.perf_counter()
    rows = training_rows(model, data, config)
    opening = resolve_for(model, requested, len(rows.train)).opening
    if not opening:
        title = find_scenario(config.scenario, model.tasks).title
        raise SettingsError(f"{title!r} trains nothing, so it has no rates. Choose another scenario.")
    resolved = replace(resolve_for(model, config, len(rows.train)), opening=dict.fromkeys(opening, 1))
    trainer = Trainer(deepcopy(model), rows, resolved)
    tried: list[RateTried] = []
    try:
        for event in _range_test(trainer, config.seed, start):
            yield event
            if isinstance(event, RateTried):
                tried.append(event)
            if should_stop():
                break
        peaks = trainer.config
        best = min(tried, key=lambda step: step.loss, default=None)
        factor = BELOW * (best.head_rate / peaks.head_rate if best else 1 / BELOW)
        seconds = round(time.perf_counter() - start, 4)
        yield RatesFound(factor * peaks.head_rate, factor * peaks.encoder_rate, seconds)
    finally:
        trainer.close()


def _range_test(trainer: Trainer, seed: int, start: float) -> Iterator[TrainingEvent]:
    """Take steps with rising rates until the loss is far above the lowest."""
    yield trainer.started()
    yield from trainer.prepare()
    trainer.calibrate_heads()
    peaks = trainer.config
    average, lowest, count = 0.0, math.inf, 0
    for step, rows in enumerate(_batches(trainer, seed), 1):
        factor = LOWEST * (HIGHEST / LOWEST) ** ((step - 1) / (STEPS - 1))
        loss = trainer.try_step(rows, factor)
        if loss is None:
            continue
        count += 1
        average = SMOOTHING * average + (1 - SMOOTHING) * loss
        smoothed = average / (1 - SMOOTHING**count)  # without the bias towards the 0 it began with
        lowest = min(lowest, smoothed)
        if not smoothed < TOO_HIGH * lowest:
            return
        seconds = round(time.perf_counter() - start, 4)
        yield RateTried(step, factor * peaks.head_rate, factor * peaks.encoder_rate, smoothed, seconds)


def _batches(trainer: Trainer, seed: int) -> list[list[int]]:
    """Return the batches of the test, from as many passes over the rows as it takes."""
    order = random.Random(seed)  # noqa: S311 (the order of the rows, not a secret)
    batches: list[list[int]] = []
    while len(batches) < STEPS:
        batches += trainer.batches(order)
    return batches[:STEPS]
