"""The objects that all tabs share: settings, runs, encoders, the starter model, executors."""

import gc
import hashlib
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from mtst.assets import STARTER
from mtst.encoders.loading import load_encoder, with_prompt
from mtst.errors import MtstError, RunError
from mtst.model.loading import load_model
from mtst.model.storage import MODULES_FILE, read_metadata
from mtst.runs.history import History
from mtst.runs.manager import RunManager
from mtst.runs.settings import Settings
from mtst.ui.server import temporary_files
from mtst.ui.server.process.load_meter import LoadMeter
from mtst.ui.server.process.memory import release_memory
from mtst.ui.server.process.paused_gc import paused_gc
from mtst.ui.services.cache import LoadOnceCache
from mtst.ui.services.encoder_pool import EncoderPool
from mtst.ui.services.executors import Executors
from mtst.ui.services.followers import Followers
from mtst.ui.services.presses import Presses
from mtst.ui.services.turns import Turns

if TYPE_CHECKING:
    from mtst.analysis.projection import Projection
    from mtst.data.tasks import Task
    from mtst.encoders.encoder import Encoder
    from mtst.model.multitask import MultiTaskSentenceTransformer

LOG = logging.getLogger(__name__)
MAX_MODELS = 2
MAX_PLANES = 6
MAX_SPEEDS = 32
MAX_HISTORIES = 40
TIMED_TEXTS = 24
MAX_PROMPTED = 4  # encoders with a visitor's prompt, which share their weights with others
SWEEP_SECONDS = 60
WARM_UP_PAUSE_SECONDS = 10


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """The model of a folder, and the modification time of that folder in nanoseconds."""

    model: "MultiTaskSentenceTransformer"
    modified: int


class Services:
    """The shared objects of one app, loaded when first used; of encoders all visitors share one instance."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.runs = RunManager(settings)
        self.meter = LoadMeter()
        self.executors = Executors()
        self.presses = Presses()
        self.followers = Followers()
        self.turns = Turns()  # of visitors who compute embeddings
        self.encoder_pool = EncoderPool(settings)
        self._loading = threading.Lock()  # guards the server's own encoder and the starter model, not visitors' models
        self._models: LoadOnceCache[LoadedModel] = LoadOnceCache(MAX_MODELS)
        self._prompted: LoadOnceCache[Encoder] = LoadOnceCache(MAX_PROMPTED)
        self._speeds: LoadOnceCache[float] = LoadOnceCache(MAX_SPEEDS)  # in texts a second, by encoder and texts
        self.sample_planes: LoadOnceCache[Projection] = LoadOnceCache(MAX_PLANES)  # by sample and projection method
        self._histories: LoadOnceCache[tuple[int, History]] = LoadOnceCache(MAX_HISTORIES)  # with the time of the log
        self._closed = threading.Event()
        threading.Thread(target=self._sweep_repeatedly, name="sweep", daemon=True).start()

    def close(self) -> None:
        """Start no more work and end the thread that removes old files and models."""
        self._closed.set()
        self.executors.close()

    def warm_up(self) -> None:
        """Load in the background what the first visitor needs."""
        threading.Thread(target=self._warm_up, name="warm-up", daemon=True).start()

    def _warm_up(self) -> None:
        try:
            with paused_gc():
                _ = self.encoder, self.starter
        except MtstError as error:  # every tab shows the same error
            LOG.error("%s", error)
        finally:
            # A full collection blocks every request for half a second, so it waits until the first page has loaded.
            self._closed.wait(WARM_UP_PAUSE_SECONDS)
            gc.collect()
            gc.freeze()  # imported modules live as long as the process

    def _sweep_repeatedly(self) -> None:
        while True:
            temporary_files.sweep()
            self.drop_idle(time.monotonic())
            if self._closed.wait(SWEEP_SECONDS):
                return
            release_memory()

    def drop_idle(self, now: float) -> None:
        """Remove the encoders and models that were not used for a while; `now` is a time of `time.monotonic`."""
        self.encoder_pool.drop_idle(now)
        self._models.drop_idle(now)
        self._prompted.drop_idle(now)
        self._speeds.drop_idle(now)
        self._histories.drop_idle(now)

    @property
    def encoder(self) -> "Encoder":
        """The server's own encoder."""
        with self._loading:
            return self._encoder

    def encoder_named(self, name: str, prompt: str | None = None) -> "Encoder":
        """Return the encoder of that name, the server's own if it is empty.

        With a prompt it is one that shares the weights of that encoder and puts the prompt in front of texts.

        Raises:
            EncoderError: it is not on this machine, or is no text encoder, or has no such prompt.
        """
        encoder = self.encoder if name in ("", self.settings.encoder) else self.encoder_pool.get(name)
        if prompt is None or prompt == encoder.prompt:
            return encoder

        def load(cached: "Encoder | None") -> "Encoder":
            shared = cached is not None and cached.backbone[0] is encoder.backbone[0]  # else it was loaded anew
            return cached if cached is not None and shared else with_prompt(encoder, prompt)

        return self._prompted.get_or_load(f"{encoder.name}\n{prompt}", load)

    def initial_encoder(self, token: str | None) -> "Encoder":
        """Return the encoder that a run started from.

        Raises:
            RunError: the run is unknown.
            EncoderError: its encoder is not on this machine any more.
        """
        folder = self.runs.folder(token)
        job = folder.job()
        if job.start:  # the name in the job is what the author of that model wrote
            load = partial(_load, folder.initial_model_path, None)
            return self._models.get_or_load(str(folder.initial_model_path), load).model.encoder
        return self.encoder_named(job.encoder, job.prompt)

    @cached_property
    def encoding_speed(self) -> float:
        """Short sentences per second that the server's own encoder embeds; measured once."""
        from mtst.encoders.info import measure_speed

        return measure_speed(self.encoder)

    def row_seconds(self, texts: Sequence[str], encoder: "Encoder") -> float:
        """Return the seconds that an encoder takes for one of a visitor's texts, measured once on a few of them."""
        from mtst.encoders.info import measure_speed

        few = texts[:: max(1, len(texts) // TIMED_TEXTS)][:TIMED_TEXTS]
        key = hashlib.sha256("\n".join((encoder.name, encoder.prompt, *few)).encode(errors="replace")).hexdigest()
        return 1 / self._speeds.get_or_load(key, lambda known: known or measure_speed(encoder, few))

    @property
    def starter(self) -> "MultiTaskSentenceTransformer":
        """The bundled model for topic and sentiment."""
        with self._loading:
            return self._starter

    @cached_property
    def _encoder(self) -> "Encoder":
        return load_encoder(self.settings.encoder)

    @cached_property
    def _starter(self) -> "MultiTaskSentenceTransformer":
        return load_model(STARTER, self._encoder)

    def run_model(self, token: str | None) -> "MultiTaskSentenceTransformer":
        """Return the model of a run, cached while it is among the last used.

        Raises:
            RunError: the run is unknown, or has no model yet.
        """
        from mtst.runs.worker.model import best_model

        folder = self.runs.folder(token)

        def load(cached: LoadedModel | None) -> LoadedModel:
            path = best_model(folder)
            has_encoder = (path / MODULES_FILE).is_file()
            return _load(path, None if has_encoder else self.initial_encoder(token), cached)

        return self._models.get_or_load(str(folder.path), load).model

    def run_history(self, token: str) -> History:
        """Return the history of a run; that of one which is over is cached until something is added to it.

        Raises:
            RunError: the run is unknown, or cannot be read.
        """
        events = self.runs.folder(token).events_path
        modified = events.stat().st_mtime_ns if events.exists() else 0

        def load(cached: tuple[int, History] | None) -> tuple[int, History]:
            is_current = cached is not None and cached[0] == modified and cached[1].is_over
            return cached if cached is not None and is_current else (modified, self.runs.history(token))

        return self._histories.get_or_load(token, load)[1]

    def run_tasks(self, token: str | None) -> tuple["Task", ...]:
        """Return the tasks of a saved model, without reading its weights.

        Raises:
            RunError: the run is unknown, or no model of it is saved.
            ModelError: its metadata cannot be read.
        """
        folder = self.runs.folder(token)
        if not folder.model_path.is_dir():
            raise RunError("There is no model here. Upload it again.")
        return read_metadata(folder.model_path).tasks

    def delete(self, token: str | None) -> None:
        """Remove a run with its files and cached models.

        Raises:
            RunError: there is no such run, or its folder cannot be removed.
        """
        folder = self.runs.folder(token)
        self.runs.delete(folder.path.name)
        for path in (folder.path, folder.initial_model_path):
            self._models.drop(str(path))
        self._histories.drop(folder.path.name)
        temporary_files.unlink_zips(folder.path.name)


def _load(path: Path, encoder: "Encoder | None", cached: LoadedModel | None) -> LoadedModel:
    """Return the model of a folder; the cached one is stale if a resumed run has written the folder since."""
    modified = path.stat().st_mtime_ns
    if cached and cached.modified == modified:
        return cached
    return LoadedModel(load_model(str(path), encoder), modified)
