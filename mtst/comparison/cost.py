"""What training with a scenario costs, before it begins: in passes of a row through the whole encoder.

The numbers depend on nothing that is measured, so that a comparison is planned in the same way whenever it is repeated.
How long a pass takes is measured by a few steps.
"""

import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

from mtst.model.layer_groups import model_groups
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training.config import Split, TrainConfig
from mtst.training.engine.feature_cache import FeatureCache
from mtst.training.engine.features import boundary_block
from mtst.training.engine.trainer import Trainer
from mtst.training.planning import resolve_for

LEARNING_PASSES = 3.0  # a row that is learnt from goes forward once, and its gradients back at twice the cost
TIMED_STEPS = 3
HEADS_ONLY = 0.005  # of a pass, for a row whose embedding is looked up


def training_costs(
    model: MultiTaskSentenceTransformer,
    scenarios: Iterable[str],
    config: TrainConfig,
    train_rows: int,
    validation_rows: int,
) -> dict[str, float]:
    """Return for each scenario the cost of one run, as if it lasted all its epochs.

    What a run looks up has been computed once for all, and is not counted.

    Args:
        model: a model of the same layers.
        scenarios: their keys.
        config: the settings of all.
        train_rows: how many a run learns from.
        validation_rows: how many it is scored on after each epoch.
    """
    keys = [group.key for group in model_groups(model)]
    blocks = model.encoder.num_blocks
    costs = {}
    for scenario in scenarios:
        resolved = resolve_for(model, replace(config, scenario=scenario), train_rows)
        boundaries = [boundary_block(resolved.open_at(epoch), keys, blocks) for epoch in range(1, resolved.epochs + 1)]
        passes = sum(_share_of_pass(block, blocks) for block in boundaries)
        costs[scenario] = passes * (LEARNING_PASSES * train_rows + validation_rows)
    return costs


def _share_of_pass(block: int | None, blocks: int) -> float:
    """Return what a row costs, in passes, where `block` of so many is the lowest open one; None if all are frozen."""
    return HEADS_ONLY + (0.0 if block is None else 1 - block / max(1, blocks))


def measure_pace(
    model: MultiTaskSentenceTransformer, scenario: str, config: TrainConfig, rows: Split, features: FeatureCache
) -> float:
    """Return the seconds of a pass, by a few steps with all that a scenario ever opens; they change no weight.

    Args:
        model: the model, whose encoder is left with nothing frozen.
        scenario: one that trains something.
        config: its other settings.
        rows: rows to learn from and to validate on.
        features: where what is frozen is looked up.
    """
    resolved = resolve_for(model, replace(config, scenario=scenario), len(rows.train))
    resolved = replace(resolved, opening=dict.fromkeys(resolved.opening, 1))
    trainer = Trainer(model, rows, resolved, feature_cache=features)
    try:
        for _ in trainer.prepare():
            pass
        batches = trainer.batches(random.Random(0))[: TIMED_STEPS + 1]  # noqa: S311 (the order of the rows)
        trainer.try_step(batches[0], 0.0)  # the first step takes longer
        paces = [_timed_step(trainer, batch) / len(batch) for batch in batches[1:] or batches]
    finally:
        trainer.close()
    keys = [group.key for group in model_groups(model)]
    blocks = model.encoder.num_blocks
    share = _share_of_pass(boundary_block(resolved.open_at(1), keys, blocks), blocks)
    return min(paces) / (LEARNING_PASSES * share)  # the fastest, since what else the machine does slows single steps


def _timed_step(trainer: Trainer, batch: Sequence[int]) -> float:
    """Return the seconds of a step that changes no weight."""
    start = time.perf_counter()
    trainer.try_step(batch, 0.0)
    return time.perf_counter() - start
