"""The model of a run: the initial one, the best one so far, and a model that a visitor has uploaded."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from mtst.data.dataset import Dataset
from mtst.encoders.loading import load_encoder
from mtst.errors import RunError
from mtst.model.upload.base_encoder import BaseEncoderPolicy
from mtst.model.upload.loading import load_archive
from mtst.runs.folder import RunFolder
from mtst.runs.job import Job
from mtst.training.config import TrainConfig, split
from mtst.training.engine.checkpoint import Checkpoint

if TYPE_CHECKING:
    from mtst.model.multitask import MultiTaskSentenceTransformer


def initial_model(folder: RunFolder, job: Job, data: Dataset) -> "MultiTaskSentenceTransformer":
    """Return the model that a run begins with: new heads on an encoder, or a model that is trained further.

    Raises:
        ModelError: the model to train further cannot be read.
        EncoderError: the encoder cannot be loaded.
    """
    from mtst.model.multitask import MultiTaskSentenceTransformer

    if job.start:
        return MultiTaskSentenceTransformer.load(folder.initial_model_path, fp32=job.fp32).with_tasks(data.tasks)
    return MultiTaskSentenceTransformer(load_encoder(job.encoder, prompt=job.prompt, fp32=job.fp32), data.tasks)


def store_uploaded_model(archive: Path, folder: RunFolder, policy: BaseEncoderPolicy, max_megabytes: float) -> None:
    """Load the ZIP of a visitor's model and save it in a folder like that of a run that has ended.

    Raises:
        ModelError: it is none that mtst has made, is larger than `max_megabytes`, or its encoder is not allowed here.
        EncoderError: this server's copy of its encoder cannot be loaded.
        RunError: it cannot be stored.
    """
    try:
        load_archive(archive, policy, max_megabytes=max_megabytes).save(folder.model_path)
        folder.path.chmod(0o700)
        folder.create(Job("", TrainConfig(), source=archive.name, kind="keep"), None)
    except BaseException:
        shutil.rmtree(folder.path, ignore_errors=True)
        raise


def best_model(folder: RunFolder) -> Path:
    """Return the folder of a run's best model so far, made from its checkpoint if need be.

    Raises:
        RunError: the run has none, or cannot be read.
        ModelError: it cannot be written.
    """
    from mtst.evaluation.multi_label import choose_thresholds
    from mtst.training.engine.best_weights import load_best

    if not folder.model_path.is_dir():
        over = folder.history().is_over
        if not (over and folder.has_model):
            why = "Your run ended without a model. Train again" if over else "Your run has not ended yet. Wait for it"
            raise RunError(f"{why}, or use the starter heads.")
        parts = Checkpoint.read(folder.checkpoint_path).parts
        job, data = folder.job(), folder.data()
        model = initial_model(folder, job, data)
        load_best(model, job.config, parts)
        _, validation = split(data, job.config)
        tasks = choose_thresholds(model.tasks, dict(parts["logits"]), validation)
        model.set_thresholds({task.name: task.threshold for task in tasks})
        model.save(folder.model_path, heads_only=not (model.encoder.weights_changed or job.start))
    return folder.model_path
