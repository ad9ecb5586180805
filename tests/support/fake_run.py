"""A run made by hand: twelve rows, two tasks, untrained heads, and predictions for its held-out rows."""

from collections.abc import Callable

from mtst.data.dataset import Dataset
from mtst.data.tasks import Task
from mtst.evaluation.error_analysis import HeldOutPredictions, Ranking
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.runs.folder import RunFolder
from mtst.runs.job import Job
from mtst.training.config import TrainConfig, split
from mtst.ui.services.services import Services

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"
KIND, PLACE = Task("kind", ("food", EVIL)), Task("place", ("kitchen", "pitch"))
TEXTS = tuple(f"{text} {k}" for k in range(3) for text in ("soup and salt", "a goal", f"{EVIL} pie", "the cup final"))
CONFIG = TrainConfig(validation_share=0.5)


def data() -> Dataset:
    return Dataset(TEXTS, (KIND, PLACE), {"kind": (0, 1, 0, 1) * 3, "place": (0, 1, 0, -1) * 3}, tuple(range(2, 14)))


def folder(services: Services, token: str, predict: Callable[[int], Ranking] | None) -> RunFolder:
    """Make a run with an untrained model; `predict` returns the ranking of a held-out row by its true kind."""
    run = RunFolder(services.settings.runs_dir / token)
    rows = data()
    run.create(Job(services.settings.encoder, CONFIG, "my.csv"), rows)
    MultiTaskSentenceTransformer(services.encoder, rows.tasks).save(run.model_path, heads_only=True)
    if predict:
        held_out = split(rows, CONFIG)[1]
        kitchen = ((1, 0.8), (0, 0.2))
        rankings = {"kind": tuple(map(predict, held_out.labels["kind"])), "place": (kitchen,) * len(held_out)}
        run.write_held_out(HeldOutPredictions(held_out.lines, rankings))
    return run
