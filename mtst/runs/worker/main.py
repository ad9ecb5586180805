"""The process of one run: read the job, train, log events, save the best model.

A forkserver imports this module in advance, so that a run starts at once; nothing here knows the page.
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

from mtst.analysis.token_oddities import advise_training, find_token_oddities
from mtst.comparison.events import Compared
from mtst.comparison.results import Comparison
from mtst.comparison.rows import plan_comparison
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
from mtst.runs.worker.memory import is_out_of_memory, limit_memory
from mtst.runs.worker.model import initial_model
from mtst.training.config import split
from mtst.training.events import Failed, Finished, RatesFound, Resumed
from mtst.training.fitting import fit
from mtst.training.lr_finder import find_learning_rates

FINAL = Finished | RatesFound | Compared
CHEAPER = "Take a smaller batch, shorter texts, fewer rows, or a scenario that opens less; or resume."


def train(path: Path, max_minutes: float, max_memory_gb: float) -> None:
    """Run the job of a folder to its end, or until it is asked to stop; whatever happens is in its events.

    If the app dies, the run ends within a step and writes no final event: the next app finds it interrupted.
    """
    os.nice(10)  # the page goes first
    folder = RunFolder(path)
    with folder.event_log(ORPHAN_SECONDS) as log:
        try:
            _train(folder, log, time.monotonic() + 60 * max_minutes, max_memory_gb)
        except MtstError as error:
            log.write(Failed(str(error)))
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            log.write(Failed(f"Training took more than the {max_memory_gb:g} GB of memory it may. {CHEAPER}"))
        except OSError as error:
            if error.errno not in FULL:
                raise
            log.write(Failed("The disk of this server is full. Resume later, or train again elsewhere."))


def _train(folder: RunFolder, log: EventLog, deadline: float, max_memory_gb: float) -> None:
    history = folder.history()  # a run that resumes has one
    if history.is_over:
        return  # another app had it too
    if not history.is_waiting:  # the process of an app that was killed began it, and has just released the log
        _log_resumption(folder, log, history)
    folder.held_out_path.unlink(missing_ok=True)  # predictions of a model that will be replaced
    job, data = folder.job(), folder.data()
    limit_memory(max_memory_gb)  # not before: the library that reads these crashes where memory is short
    model = initial_model(folder, job, data)
    if history.is_waiting:
        unread = find_token_oddities(data.texts, model.encoder, data.lines)
        if unread:
            data = data.with_oddities(advise_training(unread) if job.start else unread)
            folder.write_data(data)  # for the report, which the page also makes while a comparison goes on
    app = parent_process()  # not os.getppid(): that is the forkserver, which lives as long as this process

    def orphaned() -> bool:
        return app is not None and not app.is_alive()

    def should_stop() -> bool:
        return folder.stop_requested or time.monotonic() > deadline or orphaned()

    for event in _events(folder, job, data, model, history, should_stop):
        if orphaned():
            return
        if isinstance(event, FINAL):
            _finish(folder, log, job, data, model, history, event)
            return
        history.extend([event])
        log.write(event)


def _events(
    folder: RunFolder,
    job: Job,
    data: Dataset,
    model: MultiTaskSentenceTransformer,
    history: History,
    should_stop: Callable[[], bool],
) -> Iterator[RunEvent]:
    """Return the events of a job; attempts that its history has already are not repeated."""
    match job.kind:
        case "rates":
            return find_learning_rates(model, data, job.config, should_stop=should_stop)
        case "compare":
            return _compare(job, data, model, history.comparison, should_stop)
    return fit(
        model,
        data,
        job.config,
        checkpoint=folder.checkpoint_path,
        embeddings=folder.embeddings_path,
        should_stop=should_stop,
    )


def _compare(
    job: Job, data: Dataset, model: MultiTaskSentenceTransformer, done: Comparison, should_stop: Callable[[], bool]
) -> Iterator[RunEvent]:
    """Return the events of a comparison, or of the rest of it."""
    if done.has_started:
        attempts = done.started.attempts
    else:
        attempts = plan_comparison(data, job.config, job.scenarios, job.seeds, alone=job.alone)
    return compare_scenarios(
        model.encoder, data, job.config, attempts, done=done, race=job.race, should_stop=should_stop
    )


def _finish(
    folder: RunFolder,
    log: EventLog,
    job: Job,
    data: Dataset,
    model: MultiTaskSentenceTransformer,
    history: History,
    event: Finished | RatesFound | Compared,
) -> None:
    """Store what the run leaves, and then log that it is over."""
    if isinstance(event, Finished):
        event = replace(event, out_of_time=event.stopped and not folder.stop_requested)
    history.extend([event])
    if isinstance(event, Finished):
        folder.write_report(build_report(job, data, history))
        folder.write_held_out(predict_held_out(model, split(data, job.config).validation))
        model.save(folder.model_path, heads_only=not (model.encoder.weights_changed or job.start))
    if isinstance(event, Compared):
        folder.write_report(build_comparison_report(job, data, history.comparison))
    log.write(event)
    if not (isinstance(event, Finished) and event.stopped):
        folder.checkpoint_path.unlink(missing_ok=True)  # there is nothing left to resume


def _log_resumption(folder: RunFolder, log: EventLog, history: History) -> None:
    """Log where the run resumes: what was logged after that does not count."""
    saved = folder.checkpoint_metadata or {"epoch": 0, "step": 0}
    event = Resumed(saved["epoch"], saved["step"])
    history.extend([event])
    log.write(event)
