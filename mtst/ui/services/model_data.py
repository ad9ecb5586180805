"""What the page knows of a model beside its weights: the rows it has learnt from, and what it says of the others."""

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
    """The two sides of a model's data, and what it says of the held-out one if that was kept."""

    train: Dataset
    held_out: Dataset
    said: HeldOutPredictions | None


def find_model(
    services: Services, which: str, run: str | None, brought: str | None = None
) -> "MultiTaskSentenceTransformer":
    """Return the starter model, that of a visitor's run, or the one that they brought along.

    Raises:
        RunError: the run is unknown, or has no model yet.
    """
    if which == UPLOADED:
        if not brought:
            raise RunError("Upload a model first, or choose another.")
        return services.run_model(brought)
    return services.run_model(run) if which == TRAINED else services.starter


def model_data(services: Services, which: str, run: str | None) -> ModelData:
    """Return what is known of a model.

    Raises:
        RunError: the run is unknown, or cannot be read.
    """
    if which == TRAINED:
        return run_data(services.runs.folder(run))
    train, held_out = _sample()
    return ModelData(train, held_out, predict_held_out(services.starter, held_out))


def run_data(folder: RunFolder) -> ModelData:
    """Return what a run has left.

    Raises:
        RunError: it cannot be read.
    """
    train, held_out = split(folder.data(), folder.job().config)
    said = folder.held_out()
    return ModelData(train, held_out, said if said and said.lines == held_out.lines else None)


@lru_cache(maxsize=1)
def _sample() -> tuple[Dataset, Dataset]:
    """Return both sides of the sample as the starter heads had them: they were trained with every choice left alone."""
    tasks = [task.name for task in DEFAULT_TASKS]
    return split(make_dataset(read_table(SAMPLE), "text", tasks, DEFAULT_TASKS), TrainConfig())
