"""Training as a stream of events: `for event in fit(model, data, config)`."""

from collections.abc import Callable, Iterator
from pathlib import Path

from mtst.data.dataset import Dataset
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training import embedding_history
from mtst.training.config import TrainConfig
from mtst.training.distributed import SINGLE_PROCESS, ProcessGroup
from mtst.training.engine.checkpoint import Checkpoint
from mtst.training.engine.feature_cache import FeatureCache
from mtst.training.engine.trainer import Trainer
from mtst.training.events import EpochEnded, TrainingEvent
from mtst.training.planning import resolve_for, training_rows


def fit(  # noqa: PLR0913 (the one function of the library that has all of these)
    model: MultiTaskSentenceTransformer,
    data: Dataset,
    config: TrainConfig | None = None,
    *,
    baselines: bool = True,
    validation: Dataset | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    checkpoint: Path | None = None,
    embeddings: Path | None = None,
    feature_cache: FeatureCache | None = None,
    process_group: ProcessGroup = SINGLE_PROCESS,
) -> Iterator[TrainingEvent]:
    """Train a model in place, event by event; it ends with the weights of the selected epoch.

    That is the latest epoch whose mean macro-F1 on the validation rows cannot be told from the highest, or, with
    patience, the highest: see `mtst.training.epoch_selection`. The untrained model is epoch 0.
    Closing the iterator ends training within a step. So does `should_stop`, after which `Finished` still comes.

    Args:
        model: the model; its tasks are those of the data.
        data: all rows; a share of them is held out for validation.
        config: how to train.
        baselines: whether to measure first what is reached without training.
        validation: rows for validation; then none of `data` are held out.
        should_stop: asked after every event, so once a step; training ends as soon as it returns True.
        checkpoint: the file in which the state of the run is saved after each epoch. If it exists, the run resumes from
            it, with the events that an unbroken run would have had from there. For a run of one process.
        embeddings: a folder in which embeddings of validation rows are saved after each epoch, if the encoder opens.
        feature_cache: features that other runs of the same rows, with the same encoder as it is now, have computed.
        process_group: the processes that train together; every one of them calls this with the same arguments.

    Raises:
        SettingsError: the scenario is unknown, or leaves nothing to learn.
        DataError: there is too little to train and validate on, as `mtst.data.split.check_trainable` says.
        ModelError: the tasks differ from the model's, or the loss stops being a number.
        RunError: the checkpoint cannot be written, or is not one of this run.
    """
    config = config or TrainConfig()
    rows = training_rows(model, data, config, validation)
    resolved = resolve_for(model, config, len(rows.train))
    trainer = Trainer(model, rows, resolved, process_group=process_group, feature_cache=feature_cache)
    stopped = False
    try:
        saved = Checkpoint.read(checkpoint) if checkpoint and checkpoint.exists() else None
        for event in _train(trainer, saved, baselines=baselines):
            yield event
            if isinstance(event, EpochEnded):
                _save(trainer, event.epoch, checkpoint, embeddings)
            if stopped := should_stop():
                break
        yield trainer.finish(stopped=stopped)
    finally:
        trainer.close()


def _train(trainer: Trainer, saved: Checkpoint | None, *, baselines: bool) -> Iterator[TrainingEvent]:
    """Train from the beginning, or from a checkpoint, to the last epoch."""
    if saved:
        yield from trainer.resume(saved)
    else:
        yield trainer.started()
        if baselines:
            yield from trainer.measure_baselines()
        yield from trainer.prepare()
        yield trainer.validate(0, {})
        trainer.calibrate_heads()
    for epoch in range(trainer.epochs_done + 1, trainer.config.epochs + 1):
        if trainer.out_of_patience(epoch - 1):
            return
        yield from trainer.open_groups(epoch)
        yield from trainer.train_epoch(epoch)


def _save(trainer: Trainer, epoch: int, checkpoint: Path | None, embeddings: Path | None) -> None:
    """Save the state of the run after an epoch, and the embeddings of the validation rows."""
    if checkpoint and epoch:  # heads are calibrated after epoch 0: a run that ends before begins again
        trainer.checkpoint().write(checkpoint)
    if embeddings and trainer.embeddings_move:
        embedding_history.save_embeddings(embeddings, epoch, trainer.embeddings)
