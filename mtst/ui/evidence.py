"""What the page knows of a model beside its weights: the rows it has learnt from, and what it says of the others."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from mtst.config import TrainConfig
from mtst.data import Dataset, make_dataset
from mtst.errors import RunError
from mtst.folder import RunFolder
from mtst.mistakes import HeldOut, answer
from mtst.splitting import split
from mtst.starter import SAMPLE
from mtst.tables import read_table
from mtst.tasks import DEFAULT_TASKS
from mtst.ui.services import Services

if TYPE_CHECKING:
    from mtst.model import MultiTaskSentenceTransformer

STARTER, OWN, BROUGHT = "starter", "own", "brought"
ENCODER, MODEL = "encoder", "model"  # what training starts from


@dataclass(frozen=True, eq=False)
class Evidence:
    """The two sides of a model's data, and what it says of the held-out one if that was kept."""

    train: Dataset
    held_out: Dataset
    said: HeldOut | None


def model_of(
    services: Services, which: str, run: str | None, brought: str | None = None
) -> "MultiTaskSentenceTransformer":
    """Return the starter model, that of a visitor's run, or the one that they brought along.

    Raises:
        RunError: the run is unknown, or has no model yet.
    """
    if which == BROUGHT:
        if not brought:
            raise RunError("Upload a model first, or choose another.")
        return services.trained(brought)
    return services.trained(run) if which == OWN else services.starter


def evidence_of(services: Services, which: str, run: str | None) -> Evidence:
    """Return what is known of a model.

    Raises:
        RunError: the run is unknown, or cannot be read.
    """
    if which == OWN:
        return evidence_in(services.runs.folder(run))
    train, held_out = _sample()
    return Evidence(train, held_out, answer(services.starter, held_out))


def evidence_in(folder: RunFolder) -> Evidence:
    """Return what a run has left.

    Raises:
        RunError: it cannot be read.
    """
    train, held_out = split(folder.data(), folder.job().config)
    said = folder.held_out()
    return Evidence(train, held_out, said if said and said.lines == held_out.lines else None)


@lru_cache(maxsize=1)
def _sample() -> tuple[Dataset, Dataset]:
    """Return both sides of the sample as the starter heads had them: they were trained with every choice left alone."""
    tasks = [task.name for task in DEFAULT_TASKS]
    return split(make_dataset(read_table(SAMPLE), "text", tasks, DEFAULT_TASKS), TrainConfig())
