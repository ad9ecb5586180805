"""What the process of one run does: read the job, train, append events, keep the best model.

This module is what a forkserver imports beforehand, so that a run starts in a moment; nothing here knows the page.
"""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing import parent_process
from pathlib import Path

import scipy.stats  # noqa: F401 (this and the next: imported here, once, for every run that is forked)
import sentence_transformers  # noqa: F401
import sklearn.decomposition  # noqa: F401
import torch

from mtst.comparison.events import Compared, plan_attempts
from mtst.comparison.runner import compare_scenarios
from mtst.data.dataset import Dataset
from mtst.errors import MtstError
from mtst.evaluation.error_analysis import predict_held_out
from mtst.files import FULL
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.runs.event_log import EventLog, RunEvent
from mtst.runs.folder import ORPHAN_SECONDS, RunFolder
from mtst.runs.history import History
from mtst.runs.job import Job
from mtst.runs.report import build_comparison_report, build_report
from mtst.runs.worker.model import initial_model
from mtst.training.config import split
from mtst.training.events import Failed, Finished, RatesFound, Resumed
from mtst.training.fitting import fit
from mtst.training.lr_finder import find_learning_rates

try:
    import resource
except ImportError:  # not on Windows
    resource = None

CHEAPER = "Take a smaller batch, shorter texts, fewer rows, or a scenario that opens less; or resume."


def train(path: Path, max_minutes: float, max_memory_gb: float) -> None:
    """Run the job of a folder to its end, or until it is told to stop; whatever happens is in its events.

    Without its app it ends within a step and says nothing: the app that comes next finds it interrupted.
    """
    os.nice(10)  # the page goes before
    folder = RunFolder(path)
    with folder.event_log(ORPHAN_SECONDS) as log:
        try:
            _train(folder, log, time.monotonic() + 60 * max_minutes, max_memory_gb)
        except MtstError as error:
            log.write(Failed(str(error)))
        except (MemoryError, RuntimeError) as error:
            if not _is_memory(error):
                raise
            log.write(Failed(f"Training took more than the {max_memory_gb:g} GB of memory it may. {CHEAPER}"))
        except OSError as error:
            if error.errno not in FULL:
                raise
            log.write(Failed("The disk of this server is full. Resume later, or train again elsewhere."))


def _train(folder: RunFolder, log: EventLog, deadline: float, max_memory_gb: float) -> None:
    app = parent_process()  # not os.getppid(): that is the forkserver, which lives as long as this process
    history = folder.history()  # a run that goes on has one
    if history.is_over:
        return  # another app had it too
    if not history.is_waiting:  # the process of an app that was killed has begun it, and has just let go of the log
        _say_again(folder, log, history)
    folder.held_out_path.unlink(missing_ok=True)  # the model of the first part said that
    job = folder.job()
    data = folder.data()
    _limit_memory(max_memory_gb)  # not before: the library that reads these crashes where memory is short
    model = initial_model(folder, job, data)

    def orphaned() -> bool:
        return app is not None and not app.is_alive()

    def should_stop() -> bool:
        return folder.stop_requested or time.monotonic() > deadline or orphaned()

    for event in _events(folder, job, data, model, history, should_stop):
        if orphaned():
            return
        if isinstance(event, Finished | RatesFound | Compared):
            break
        history.extend([event])
        log.write(event)
    if isinstance(event, Finished):
        event = replace(event, out_of_time=event.stopped and not folder.stop_requested)
        history.extend([event])
        folder.write_report(build_report(job, data, history))
        folder.write_held_out(predict_held_out(model, split(data, job.config)[1]))
        model.save(folder.model_path, heads_only=not (model.encoder.weights_changed or job.start))
    if isinstance(event, Compared):
        history.extend([event])
        folder.write_report(build_comparison_report(job, data, history.comparison))
    log.write(event)
    if not (isinstance(event, Finished) and event.stopped):
        folder.checkpoint_path.unlink(missing_ok=True)  # there is nothing left to go on with


def _events(
    folder: RunFolder,
    job: Job,
    data: Dataset,
    model: MultiTaskSentenceTransformer,
    history: History,
    should_stop: Callable[[], bool],
) -> Iterator[RunEvent]:
    """Return what the job is, as a stream of events; what its history has already is not done again."""
    match job.kind:
        case "rates":
            return find_learning_rates(model, data, job.config, should_stop=should_stop)
        case "compare":
            attempts, done = plan_attempts(job.scenarios, job.seeds, data, job.alone), history.comparison.made
            return compare_scenarios(model.encoder, data, job.config, attempts, done=done, should_stop=should_stop)
    return fit(
        model,
        data,
        job.config,
        checkpoint=folder.checkpoint_path,
        embeddings=folder.embeddings_path,
        should_stop=should_stop,
    )


def _say_again(folder: RunFolder, log: EventLog, history: History) -> None:
    """Say where the run goes on from: what was said after that does not count."""
    saved = folder.checkpoint_metadata or {"epoch": 0, "step": 0}
    event = Resumed(saved["epoch"], saved["step"])
    history.extend([event])
    log.write(event)


def _limit_memory(gigabytes: float) -> None:
    """Let this process have so much memory, and as much of a GPU.

    A GPU's driver reserves addresses for all memory there is, far more than any run takes. So with a GPU only what is
    private and written to is counted, not the address space.
    """
    wanted = int(gigabytes * 1e9)
    gpu = torch.cuda.is_available()
    if gpu:
        whole = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, wanted / whole))
    if resource is not None:
        kind = resource.RLIMIT_DATA if gpu else resource.RLIMIT_AS
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def _is_memory(error: Exception) -> bool:
    """Tell whether memory ran out; torch has no class of its own for that on a CPU."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate memory" in str(error)
