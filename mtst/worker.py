"""What the process of one run does: read the job, train, append events, keep the best model.

This module is what a forkserver imports beforehand, so that a run starts in a moment; nothing here knows the page.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

import sentence_transformers  # noqa: F401 (imported here, once, for every run that is forked)

from mtst.encoders import load_encoder
from mtst.errors import MtstError
from mtst.events import Failed, Finished, RatesFound
from mtst.folder import EventLog, RunFolder
from mtst.history import History
from mtst.model import MultiTaskSentenceTransformer
from mtst.rate_finder import find_rates
from mtst.report import report
from mtst.training import fit


def train(path: Path, max_minutes: float) -> None:
    """Run the job of a folder to its end, or until it is told to stop; whatever happens is in its events."""
    os.nice(10)  # the page goes before
    parent = os.getppid()
    folder = RunFolder(path)
    deadline = time.monotonic() + 60 * max_minutes
    with folder.event_log() as log:
        try:
            _train(folder, log, lambda: time.monotonic() > deadline or os.getppid() != parent)
        except MtstError as error:
            log.write(Failed(str(error)))


def _train(folder: RunFolder, log: EventLog, out_of_time: Callable[[], bool]) -> None:
    job = folder.job()
    data = folder.data()
    model = MultiTaskSentenceTransformer(load_encoder(job.encoder, fp32=job.fp32), data.tasks)
    events = (find_rates if job.kind == "rates" else fit)(model, data, job.config)
    history = History()
    event = next(events)
    while not isinstance(event, Finished | RatesFound):
        history.extend([event])
        log.write(event)
        event = events.send(folder.stop_requested or out_of_time())
    if isinstance(event, Finished):
        history.extend([event])
        folder.write_report(report(job, data, history))
        model.save(folder.model_path, heads_only=not model.encoder.moved)
    log.write(event)
