"""The best model of a run that ended before it could save one, out of its checkpoint."""

from pathlib import Path

from mtst.best import put, weights
from mtst.checkpoint import Checkpoint
from mtst.errors import RunError
from mtst.folder import RunFolder
from mtst.groups import groups_of
from mtst.starting import starting_model


def best_model(folder: RunFolder) -> Path:
    """Return the folder of a run's best model so far, made from its checkpoint if need be.

    Raises:
        RunError: the run has none, or cannot be read.
        ModelError: it cannot be written.
    """
    if not folder.model_path.is_dir():
        over = folder.history().over
        if not (over and folder.has_model):
            why = "Your run ended without a model. Train again" if over else "Your run has not ended yet. Wait for it"
            raise RunError(f"{why}, or use the starter heads.")
        parts = Checkpoint.read(folder.checkpoint_path).parts
        job, data = folder.job(), folder.data()
        model = starting_model(folder, job, data)
        put(parts.get("best") or parts["now"], weights(groups_of(model)))
        model.save(folder.model_path, heads_only=not (model.encoder.moved or job.start))
    return folder.model_path
