"""A range test for learning rates (Smith 2017, Cyclical Learning Rates for Training Neural Networks)."""

import random
import time
from collections.abc import Generator
from copy import deepcopy
from dataclasses import replace

from mtst.data.dataset import Dataset
from mtst.errors import SettingsError
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training.config import TrainConfig
from mtst.training.engine.trainer import Trainer
from mtst.training.events import RatesFound, RateTried, TrainingEvent
from mtst.training.fitting import plan
from mtst.training.scenarios import find_scenario

STEPS = 100
LOWEST, HIGHEST = 1e-3, 1e2  # times the rates of the config
SMOOTHING = 0.9
BELOW = 0.1  # of the rates at which the loss is lowest: there it is about to rise
TOO_HIGH = 3.0  # times the lowest loss so far, after which nothing is learnt any more


def find_learning_rates(
    model: MultiTaskSentenceTransformer, data: Dataset, config: TrainConfig | None = None
) -> Generator[TrainingEvent, bool | None, None]:
    """Train a copy of a model with rates that rise from step to step; the model itself stays as it is.

    All groups that the run would ever open are open. The rates of heads and encoder rise together, in the proportion
    of the config. Yields `Started`, `RateTried` for each step, and `RatesFound` with a tenth of the rates at which
    the loss was lowest. `send(True)` ends it early with what was found so far.

    Raises:
        SettingsError: the scenario is unknown, or trains nothing.
        DataError: there is too little to train and validate on.
    """
    wanted = config or TrainConfig()
    config = replace(wanted, decay="constant", warm_up=0.0, epochs=None)
    scenario = find_scenario(config.scenario, model.tasks)
    if not scenario.epochs:
        raise SettingsError(f"{scenario.title!r} trains nothing, so it has no rates. Choose another scenario.")
    start = time.perf_counter()
    at_once = [replace(group, opens_at=1) if group.open else group for group in plan(model, wanted)]
    loop = Trainer(deepcopy(model), data, config, at_once)
    tried: list[RateTried] = []
    try:
        stopped = (yield loop.started()) or (yield from loop.prepare())
        if not stopped:
            loop.start_heads()
        rates = loop.config
        smooth = lowest = 0.0
        for step, places in enumerate(_some_batches(loop, config), 1):
            if stopped:
                break
            factor = LOWEST * (HIGHEST / LOWEST) ** ((step - 1) / (STEPS - 1))
            loss = loop.try_step(places, factor)
            if loss is None:
                continue
            smooth = SMOOTHING * smooth + (1 - SMOOTHING) * loss
            even = smooth / (1 - SMOOTHING ** (len(tried) + 1))
            lowest = min(lowest or even, even)
            if not even < TOO_HIGH * lowest:
                break
            seconds = round(time.perf_counter() - start, 4)
            tried.append(RateTried(step, factor * rates.head_rate, factor * rates.encoder_rate, even, seconds))
            stopped = yield tried[-1]
        factor = BELOW * (min(tried, key=lambda step: step.loss).head_rate / rates.head_rate if tried else 1 / BELOW)
        found = (factor * rates.head_rate, factor * rates.encoder_rate)
        yield RatesFound(*found, round(time.perf_counter() - start, 4))
    finally:
        loop.close()


def _some_batches(loop: Trainer, config: TrainConfig) -> list[list[int]]:
    """Return the batches of the test, of any rows: as many passes as it takes."""
    order = random.Random(config.seed)  # noqa: S311 (the order of the rows, not a secret)
    made: list[list[int]] = []
    while len(made) < STEPS:
        made += loop.batches(order)
    return made[:STEPS]
