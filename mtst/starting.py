"""The model that a run begins with: new heads on an encoder, or a model that is trained further."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from mtst.archive import unpack
from mtst.config import TrainConfig
from mtst.data import Dataset
from mtst.encoders import load_encoder

if TYPE_CHECKING:
    from mtst.model import MultiTaskSentenceTransformer
from mtst.folder import Job, RunFolder


def starting_model(folder: RunFolder, job: Job, data: Dataset) -> "MultiTaskSentenceTransformer":
    """Return the model of a run before anything happened.

    Raises:
        ModelError: the model to go on with cannot be read.
        EncoderError: the encoder cannot be loaded.
    """
    from mtst.model import MultiTaskSentenceTransformer

    if job.start:
        return MultiTaskSentenceTransformer.load(folder.start_path, fp32=job.fp32).with_tasks(data.tasks)
    return MultiTaskSentenceTransformer(load_encoder(job.encoder, fp32=job.fp32), data.tasks)


def keep_model(archive: Path, folder: RunFolder, megabytes: float) -> None:
    """Unpack a visitor's model into a folder like that of a run that has ended.

    Raises:
        ModelError: it is none that mtst has made, or larger than that.
        RunError: it cannot be stored.
    """
    try:
        unpack(archive, folder.model_path, megabytes)
        folder.path.chmod(0o700)
        folder.create(Job("", TrainConfig(), source=archive.name, kind="keep"), None)
    except BaseException:
        shutil.rmtree(folder.path, ignore_errors=True)
        raise
