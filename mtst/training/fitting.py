"""Training as a stream of events: `for event in fit(model, data, config)`."""

from collections.abc import Generator
from pathlib import Path

from mtst.data.dataset import Dataset
from mtst.model.layer_groups import model_groups
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training import embedding_history
from mtst.training.config import TrainConfig
from mtst.training.distributed import SINGLE_PROCESS, ProcessGroup
from mtst.training.engine.checkpoint import Checkpoint
from mtst.training.engine.feature_cache import FeatureCache
from mtst.training.engine.trainer import Steps, Trainer
from mtst.training.events import GroupPlan, TrainingEvent
from mtst.training.freezing import peak_rates
from mtst.training.scenarios import find_scenario, resolve


def plan(model: MultiTaskSentenceTransformer, config: TrainConfig) -> tuple[GroupPlan, ...]:
    """Return what a run would open, when, and at which rates, from the bottom group up.

    Raises:
        SettingsError: the scenario is unknown, or cannot be followed with this config.
    """
    groups = model_groups(model)
    keys = [group.key for group in groups]
    settled, opening = resolve(config, find_scenario(config.scenario, model.tasks), keys)
    peaks = peak_rates(keys, settled)
    return tuple(
        GroupPlan(
            group.key,
            group.title,
            group.size,
            opening.get(group.key),
            peaks[group.key] if group.key in opening else 0.0,
            group.task,
        )
        for group in groups
    )


def fit(
    model: MultiTaskSentenceTransformer,
    data: Dataset,
    config: TrainConfig | None = None,
    *,
    baselines: bool = True,
    process_group: ProcessGroup = SINGLE_PROCESS,
    checkpoint: Path | None = None,
    held_out: Dataset | None = None,
    shared: FeatureCache | None = None,
    embeddings: Path | None = None,
) -> Generator[TrainingEvent, bool | None, None]:
    """Train a model in place and tell what happens; its weights end as those of the epoch that is kept.

    That is the latest epoch whose mean macro-F1 on the validation rows cannot be told from the highest, or, with
    patience, the highest: see `mtst.training.epoch_selection`. The untrained model is epoch 0.
    Closing the generator stops it within a step. So does `send(True)`, after which `Finished` still comes.

    Args:
        model: the model; its tasks are those of the data.
        data: all rows; a share of them is held out for validation.
        config: how to train.
        baselines: whether to measure first what is reached without training.
        process_group: the processes that train together; every one of them runs this with the same arguments.
        checkpoint: the file in which the state of the run is kept after each epoch. If it is there already, the run
            goes on from it, with the events that an unbroken run would have had from there. For a run of one process.
        held_out: rows for validation; then none of `data` are held out.
        shared: features that other runs of the same rows, from the same encoder as it is now, have computed.
        embeddings: a folder in which the embeddings of held-out rows are kept after each epoch, if the encoder opens.

    Raises:
        SettingsError: the scenario is unknown, or leaves nothing to learn.
        DataError: there is too little to train and validate on, as `mtst.data.split.check_trainable` says.
        ModelError: the tasks differ from the model's, or the loss stops being a number.
        RunError: the checkpoint cannot be written, or is not one of this run.
    """
    config = config or TrainConfig()
    loop = Trainer(model, data, config, plan(model, config), process_group, held_out, shared)
    try:
        if checkpoint and checkpoint.exists():
            stopped = yield from loop.resume(Checkpoint.read(checkpoint))
        else:
            stopped = yield from _begin(loop, baselines=baselines)
            _keep(loop, None, embeddings)
        for epoch in range(loop.epochs_done + 1, loop.epochs + 1):
            if stopped or loop.out_of_patience(epoch - 1):
                break
            stopped = (yield from loop.open_groups(epoch)) or (yield from loop.epoch(epoch))
            if loop.epochs_done == epoch:
                _keep(loop, checkpoint, embeddings)
        yield loop.finished(stopped=bool(stopped))
    finally:
        loop.close()


def _keep(loop: Trainer, checkpoint: Path | None, embeddings: Path | None) -> None:
    """Keep what can be gone back to after an epoch, and where the held-out rows lie now."""
    if checkpoint:
        loop.checkpoint().write(checkpoint)
    if embeddings and loop.opens_encoder and loop.embeddings is not None:
        embedding_history.save_embeddings(embeddings, loop.epochs_done, loop.embeddings)


def _begin(loop: Trainer, *, baselines: bool) -> Steps:
    """Do what comes before the first epoch; return whether the one who listens asked to stop."""
    stopped = yield loop.started()
    if baselines and not stopped:
        stopped = yield from loop.measure_baselines()
    if not stopped:
        stopped = yield from loop.prepare()
    if not stopped:
        stopped = yield loop.validated(0, {})
    if not stopped:
        loop.start_heads()
    return stopped
