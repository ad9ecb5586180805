"""The command lines that repeat a run and a comparison."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import fields

from mtst.config import TrainConfig
from mtst.encoders import DEFAULT
from mtst.folder import Job

COMPARED = ("epochs", "batch_size", "top_blocks", "balance", "seed")  # settings that a comparison takes


def command(job: Job, tasks: Sequence[str]) -> list[str]:
    """Return the words of the command that does what a job does with these label columns, quoted for a shell."""
    words = _begun("train", job, tasks)
    for field in fields(TrainConfig):
        value = getattr(job.config, field.name)
        if field.name in ("scenario", "seed") or value != getattr(TrainConfig(), field.name):
            words += _option(field.name.replace("_", "-"), value)
    return [shlex.quote(word) for word in (*words, *_read(job), "--out", "my-model")]


def comparison_command(job: Job, tasks: Sequence[str]) -> list[str]:
    """Return the words of the command that makes the comparison of a job, quoted for a shell."""
    words = _begun("compare", job, tasks) + _option("scenario", job.scenarios) + _option("seeds", job.seeds)
    words += _option("alone", job.alone) if job.alone else []
    for name in COMPARED:
        value = getattr(job.config, name)
        if value != getattr(TrainConfig(), name):
            words += _option(name.replace("_", "-"), value)
    return [shlex.quote(word) for word in (*words, *_read(job), "--html", "comparison.html")]


def _begun(command: str, job: Job, tasks: Sequence[str]) -> list[str]:
    """Return the words up to the columns."""
    words = ["python", "-m", "mtst", command, job.source, "--text", job.text]
    return words + [word for task in tasks for word in ("--labels", task)]


def _read(job: Job) -> list[str]:
    """Return the options that say how the file is read, and which encoder or model reads its sentences."""
    words = [] if job.header else ["--no-header"]
    words += ["--merge-labels"] if job.merge else []
    words += ["--leave-out", ",".join(map(str, job.leave_out))] if job.leave_out else []
    if job.start:
        words += ["--from", job.start]
    elif job.encoder != DEFAULT:
        words += ["--encoder", job.encoder]
    return words + (["--fp32"] if job.fp32 else [])


def _option(name: str, value: object) -> list[str]:
    """Return an option of `train` with its value: once for each entry of a list, a switch for a truth value."""
    if isinstance(value, bool):
        return [f"--{name}" if value else f"--no-{name}"]
    if isinstance(value, Mapping):
        return [word for key, part in value.items() for word in (f"--{name}", f"{key}={part!r}")]
    if isinstance(value, tuple):
        return [word for part in value for word in (f"--{name}", str(part))]
    return [f"--{name}", str(value)]
