"""The command line that repeats a run."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import fields

from mtst.config import TrainConfig
from mtst.encoders import DEFAULT
from mtst.folder import Job


def command(job: Job, tasks: Sequence[str]) -> list[str]:
    """Return the words of the command that does what a job does with these label columns, quoted for a shell."""
    words = ["python", "-m", "mtst", "train", job.source, "--text", job.text]
    words += [word for task in tasks for word in ("--labels", task)]
    for field in fields(TrainConfig):
        value = getattr(job.config, field.name)
        if field.name in ("scenario", "seed") or value != getattr(TrainConfig(), field.name):
            words += _option(field.name.replace("_", "-"), value)
    words += [] if job.header else ["--no-header"]
    words += ["--merge-labels"] if job.merge else []
    words += ["--leave-out", ",".join(map(str, job.leave_out))] if job.leave_out else []
    words += [] if job.encoder == DEFAULT else ["--encoder", job.encoder]
    words += ["--fp32"] if job.fp32 else []
    return [shlex.quote(word) for word in (*words, "--out", "my-model")]


def _option(name: str, value: object) -> list[str]:
    """Return an option of `train` with its value: once for each entry of a list, a switch for a truth value."""
    if isinstance(value, bool):
        return [f"--{name}" if value else f"--no-{name}"]
    if isinstance(value, Mapping):
        return [word for key, part in value.items() for word in (f"--{name}", f"{key}={part!r}")]
    if isinstance(value, tuple):
        return [word for part in value for word in (f"--{name}", str(part))]
    return [f"--{name}", str(value)]
