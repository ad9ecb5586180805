"""The model that a visitor has chosen, its training rows, and its predictions of the held-out rows."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from mtst.assets import SAMPLE
from mtst.data.dataset import Dataset, make_dataset
from mtst.data.table import read_table
from mtst.data.tasks import DEFAULT_TASKS
from mtst.errors import RunError
from mtst.evaluation.error_analysis import HeldOutPredictions, predict_held_out
from mtst.runs.folder import RunFolder
from mtst.training.config import TrainConfig, split
from mtst.ui.services.services import Services

if TYPE_CHECKING:
    from mtst.model.multitask import MultiTaskSentenceTransformer

STARTER, TRAINED, UPLOADED = "starter", "own", "brought"
ENCODER, MODEL = "encoder", "model"  # what training starts from


@dataclass(frozen=True, eq=False)
class ModelData:
    """The rows of a model's split, and its predictions of the held-out ones if they were stored."""

    train: Dataset
    held_out: Dataset
    predictions: HeldOutPredictions | None


def find_model(
    services: Services, which: str, run: str | None, uploaded: str | None = None
) -> "MultiTaskSentenceTransformer":
    """Return the starter model, that of a visitor's run, or the one that they uploaded.

    Raises:
        RunError: the run is unknown, or has no model yet.
    """
    if which == UPLOADED:
        if not uploaded:
            raise RunError("Upload a model first, or choose another.")
        return services.run_model(uploaded)
    return services.run_model(run) if which == TRAINED else services.starter


def model_data(services: Services, which: str, run: str | None) -> ModelData:
    """Return the data of the starter model or of a visitor's run.

    Raises:
        RunError: the run is unknown, or cannot be read.
    """
    if which == TRAINED:
        return run_data(services.runs.folder(run))
    train, held_out = _sample()
    return ModelData(train, held_out, predict_held_out(services.starter, held_out))


def run_data(folder: RunFolder) -> ModelData:
    """Return the data of a run.

    Raises:
        RunError: it cannot be read.
    """
    train, held_out = split(folder.data(), folder.job().config)
    stored = folder.held_out()
    return ModelData(train, held_out, stored if stored and stored.lines == held_out.lines else None)


@lru_cache(maxsize=1)
def _sample() -> tuple[Dataset, Dataset]:
    """Return the split of the sample that the starter heads were trained on, with the default settings."""
    tasks = [task.name for task in DEFAULT_TASKS]
    return split(make_dataset(read_table(SAMPLE), "text", tasks, DEFAULT_TASKS), TrainConfig())
