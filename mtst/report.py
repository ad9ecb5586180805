"""The report of a run: all that it takes to judge it and to repeat it, as JSON."""

import hashlib
import json
import os
import platform
import sys
from importlib.metadata import version
from typing import Any

from pydantic import TypeAdapter

import mtst
from mtst.advice import advise, sentences
from mtst.comparison import Comparison
from mtst.data import Dataset
from mtst.folder import Job
from mtst.history import History
from mtst.repeating import command, comparison_command
from mtst.scores import Scores

LIBRARIES = ("torch", "transformers", "sentence-transformers", "scikit-learn", "numpy", "accelerate")
_ANY = TypeAdapter(Any)


def data_hash(data: Dataset) -> str:
    """Return the SHA-256 of the texts, tasks and labels of a dataset, in their order."""
    rows = [data.texts, [[task.name, task.labels] for task in data.tasks], list(data.labels.values())]
    return hashlib.sha256(json.dumps(rows, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()


def report(job: Job, data: Dataset, history: History, test: dict[str, Scores] | None = None) -> dict[str, Any]:
    """Return the report of a run that has finished.

    The same config, seed and data give the same events on the same machine with the same versions; other processors
    and other numbers of threads round differently.

    Args:
        job: what was asked for.
        data: the rows it was done with.
        history: what happened.
        test: scores on a file of their own.
    """
    started, finished, best = history.started, history.finished, history.best
    made = {
        **_made_with(started.precision),
        "encoder": job.encoder,
        "data": {
            "source": job.source,
            "rows": len(data),
            "sha256": data_hash(data),
            "train_rows": started.train_rows,
            "validation_rows": started.validation_rows,
            "tasks": {task.name: dict(zip(task.labels, started.counts[task.name], strict=True)) for task in data.tasks},
        },
        "start": job.start,
        "config": job.config,
        "command": " ".join(command(job, [task.name for task in data.tasks])),
        "baselines": history.baselines
        and {"majority": history.baselines.majority, "logistic": history.baselines.logistic},
        "before_training": history.epochs[0].validation if history.epochs else {},
        "epochs": history.epochs,
        "groups": finished.proof,
        "best_epoch": finished.best_epoch,
        "stopped": finished.stopped,
        "out_of_time": finished.out_of_time,
        "stopped_early": finished.early,
        "validation": best.validation if best else {},
        "confusion": finished.confusion,
        "space": finished.space and dict(zip(("before", "after"), finished.space, strict=True)),
        "seconds": finished.seconds,
    }
    made |= {"test": test} if test is not None else {}
    return _ANY.dump_python(made, mode="json", serialize_as_any=True)


def comparison_report(job: Job, data: Dataset, comparison: Comparison) -> dict[str, Any]:
    """Return the report of a comparison as far as it has come: the recommendation, and all that it rests on.

    Args:
        job: what was asked for.
        data: the rows it was done with.
        comparison: what happened.
    """
    started, advice = comparison.started, advise(comparison)
    made = {
        **_made_with(comparison.started.precision if comparison.started else None),
        "encoder": job.encoder,
        "data": {"source": job.source, "rows": len(data), "sha256": data_hash(data)},
        "config": job.config,
        "command": " ".join(comparison_command(job, [task.name for task in data.tasks])),
        "recommendation": sentences(advice, data.tasks) if advice else [],
        "advice": advice,
        "scenarios": comparison.rows,
        "alone_and_together": comparison.alone(),
        "learning_curve": comparison.learning,
        "train_rows": started.train_rows if started else 0,
        "validation_rows": started.validation_rows if started else 0,
        "majority": started.majority if started else {},
        "logistic": started.logistic if started else {},
        "attempts": comparison.ended,
        "complete": bool(comparison.compared and not comparison.compared.stopped),
    }
    return _ANY.dump_python(made, mode="json", serialize_as_any=True)


def _made_with(precision: str | None) -> dict[str, Any]:
    """Return the versions and the machine."""
    import torch  # here, since a page that has compared nothing does without it

    return {
        "mtst": mtst.__version__,
        "versions": {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES},
        "machine": {
            "platform": sys.platform,
            "processor": platform.machine(),
            "threads": torch.get_num_threads(),
            "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
            "processes": int(os.environ.get("WORLD_SIZE", "1")),
            "precision": precision,
        },
    }
