"""The report of a run as JSON: its scores, its environment, and the command that repeats it."""

import hashlib
import json
import os
import platform
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields
from importlib.metadata import version
from typing import Any

from pydantic import TypeAdapter

import mtst
from mtst.comparison.description import describe
from mtst.comparison.recommendation import recommend
from mtst.comparison.results import Comparison
from mtst.data.dataset import Dataset
from mtst.data.labels.choice import LabelChoice
from mtst.encoders.catalogue import DEFAULT
from mtst.evaluation.scores import Scores, small_sample_caution
from mtst.runs.history import History
from mtst.runs.job import Job
from mtst.training.config import TrainConfig

LIBRARIES = ("torch", "transformers", "sentence-transformers", "scikit-learn", "numpy", "accelerate")
COMPARISON_SETTINGS = ("epochs", "batch_size", "top_blocks", "balance", "seed")  # of `TrainConfig`
_ANY: TypeAdapter[Any] = TypeAdapter(Any)


def build_report(job: Job, data: Dataset, history: History, test: dict[str, Scores] | None = None) -> dict[str, Any]:
    """Return the report of a finished run.

    The same config, seed and data give the same events on the same machine with the same versions; other processors
    and other numbers of threads round differently.

    Args:
        job: the job of the run.
        data: its rows.
        history: its events.
        test: scores on a separate test file, if there is one.

    Raises:
        RunError: the run has not finished.
    """
    started, finished = history.started, history.finished
    report: dict[str, Any] = {
        **_environment(started.precision),
        "encoder": job.encoder,
        "data": {
            "source": job.source,
            "rows": len(data),
            "sha256": data_hash(data),
            "oddities": data.oddities,
            "train_rows": started.train_rows,
            "validation_rows": started.validation_rows,
            "tasks": {task.name: dict(zip(task.labels, started.counts[task.name], strict=True)) for task in data.tasks},
        },
        "start": job.start,
        "config": job.config,
        "command": " ".join(training_command(job, [task.name for task in data.tasks])),
        "baselines": history.baselines
        and {"majority": history.baselines.majority, "logistic": history.baselines.logistic},
        "before_training": history.epochs[0].validation if history.epochs else {},
        "epochs": history.epochs,
        "groups": finished.proof,
        "best_epoch": finished.best_epoch,
        "stopped": finished.stopped,
        "out_of_time": finished.out_of_time,
        "stopped_early": finished.early,
        "validation": history.best_validation,
        "caution": small_sample_caution(history.started.validation_rows),
        "confusion": finished.confusion,
        "thresholds": finished.thresholds,
        "space": finished.space and dict(zip(("before", "after"), finished.space, strict=True)),
        "seconds": finished.seconds,
    }
    if test is not None:
        report["test"] = test
    return _to_json(report)


def build_comparison_report(job: Job, data: Dataset, comparison: Comparison) -> dict[str, Any]:
    """Return the report of a comparison so far: the recommendation, and the scores that it is based on.

    Args:
        job: the job of the run.
        data: its rows.
        comparison: its events.
    """
    started, advice = comparison.started if comparison.has_started else None, recommend(comparison)
    report: dict[str, Any] = {
        **_environment(started.precision if started else None),
        "encoder": job.encoder,
        "data": {
            "source": job.source,
            "rows": len(data),
            "sha256": data_hash(data),
            "oddities": data.oddities,
        },
        "config": job.config,
        "command": " ".join(comparison_command(job, [task.name for task in data.tasks])),
        "recommendation": describe(advice, data.tasks) if advice else [],
        "advice": advice,
        "scenarios": comparison.results,
        "folds": comparison.folds,
        "stopped_early": list(comparison.dropped.values()),
        "alone_and_together": comparison.alone_and_together(),
        "learning_curve": comparison.learning_curve,
        "train_rows": started.train_rows if started else 0,
        "validation_rows": started.validation_rows if started else 0,
        "majority": started.majority if started else {},
        "logistic": started.logistic if started else {},
        "attempts": comparison.ended,
        "complete": comparison.is_complete,
    }
    return _to_json(report)


def _to_json(report: dict[str, Any]) -> dict[str, Any]:
    """Turn dataclasses into plain data that JSON can hold."""
    plain: dict[str, Any] = _ANY.dump_python(report, mode="json", serialize_as_any=True)
    return plain


def _environment(precision: str | None) -> dict[str, Any]:
    """Return the versions of the libraries and the machine."""
    import torch  # here, since the page imports this module and must open before torch is loaded

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


def data_hash(data: Dataset) -> str:
    """Return the SHA-256 of the texts, tasks and labels of a dataset, in their order."""
    rows = [data.texts, [[task.name, task.labels] for task in data.tasks], list(data.labels.values())]
    return hashlib.sha256(json.dumps(rows, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()


def training_command(job: Job, tasks: Sequence[str]) -> list[str]:
    """Return the words of the command that repeats a training job with these label columns, quoted for a shell."""
    words = _command("train", job, tasks)
    for field in fields(TrainConfig):
        value = getattr(job.config, field.name)
        if field.name in ("scenario", "seed") or value != getattr(TrainConfig(), field.name):
            words += _option(field.name.replace("_", "-"), value)
    return [shlex.quote(word) for word in (*words, *_input_options(job), "--out", "my-model")]


def comparison_command(job: Job, tasks: Sequence[str]) -> list[str]:
    """Return the words of the command that repeats a comparison with these label columns, quoted for a shell."""
    words = _command("compare", job, tasks) + _option("scenario", job.scenarios) + _option("seeds", job.seeds)
    words += _option("alone", job.alone) if job.alone else []
    words += [] if job.race else ["--no-race"]
    for name in COMPARISON_SETTINGS:
        value = getattr(job.config, name)
        if value != getattr(TrainConfig(), name):
            words += _option(name.replace("_", "-"), value)
    return [shlex.quote(word) for word in (*words, *_input_options(job), "--html", "comparison.html")]


def _command(command: str, job: Job, tasks: Sequence[str]) -> list[str]:
    """Return the command up to the label columns."""
    words = ["python", "-m", "mtst", command, job.source, "--text", job.text]
    choice = job.label_choice or LabelChoice(guessed=tuple(tasks))
    for option, columns in (("labels", choice.guessed), ("multi-label", choice.multi), ("single-label", choice.single)):
        words += _option(option, columns)
    return words


def _input_options(job: Job) -> list[str]:
    """Return the options for reading the file and for the encoder or model."""
    words = [] if job.header else ["--no-header"]
    for option in ("header_line", "encoding", "delimiter", "sheet"):
        words += _option(option.replace("_", "-"), getattr(job, option)) if getattr(job, option) else []
    words += job.treatments.words
    words += ["--merge-labels"] if job.merge else []
    words += ["--leave-out", ",".join(map(str, job.leave_out))] if job.leave_out else []
    if job.start:
        words += ["--from", job.start]
    elif job.encoder != DEFAULT:
        words += ["--encoder", job.encoder]
    words += [] if job.prompt is None else ["--prompt", job.prompt]
    return words + (["--fp32"] if job.fp32 else [])


def _option(name: str, value: object) -> list[str]:
    """Return an option and its value: repeated for each entry of a tuple or mapping, a flag for a bool."""
    if isinstance(value, bool):
        return [f"--{name}" if value else f"--no-{name}"]
    if isinstance(value, Mapping):
        return [word for key, entry in value.items() for word in (f"--{name}", f"{key}={entry!r}")]
    if isinstance(value, tuple):
        return [word for entry in value for word in (f"--{name}", str(entry))]
    return [f"--{name}", str(value)]
