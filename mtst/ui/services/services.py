"""What the tabs share, and nothing else: the settings, the encoders, the starter model, the runs."""

import gc
import logging
import threading
import time
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from mtst.assets import STARTER
from mtst.encoders.loading import load_encoder
from mtst.errors import MtstError, RunError
from mtst.model.loading import load_model
from mtst.model.storage import ENCODER, read_metadata
from mtst.runs.manager import RunManager
from mtst.runs.settings import Settings
from mtst.ui.server import temporary_files
from mtst.ui.server.load_meter import LoadMeter
from mtst.ui.services.cache import LoadOnceCache
from mtst.ui.services.encoder_pool import EncoderPool

if TYPE_CHECKING:
    from mtst.analysis.projection import Plane
    from mtst.data.tasks import Task
    from mtst.encoders.encoder import Encoder
    from mtst.model.multitask import MultiTaskSentenceTransformer

LOG = logging.getLogger(__name__)
MODELS_KEPT = 2
PLANES_KEPT = 6
SWEEP_SECONDS = 600
SETTLED_SECONDS = 10


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """The model of a folder, and when that folder was written, in nanoseconds."""

    model: "MultiTaskSentenceTransformer"
    written: int


class Services:
    """Loaded when first asked for; encoders are the one thing that all visitors share."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.runs = RunManager(settings)
        self.meter = LoadMeter()
        self.encoder_pool = EncoderPool(settings)
        self._loading = threading.Lock()  # the server's own encoder and the starter model, and nobody's model
        self._models: LoadOnceCache[LoadedModel] = LoadOnceCache(MODELS_KEPT)
        self.projections: LoadOnceCache[Plane] = LoadOnceCache(PLANES_KEPT)  # of the sample, by how it is placed
        threading.Thread(target=self._sweep_all, name="sweep", daemon=True).start()

    def warm_up(self) -> None:
        """Load behind the scenes what the first visitor will need."""
        threading.Thread(target=self._warm_up, name="warm-up", daemon=True).start()

    def _warm_up(self) -> None:
        try:
            _ = self.encoder, self.starter
        except MtstError as error:  # every tab says the same to its visitors
            LOG.error("%s", error)
        time.sleep(SETTLED_SECONDS)  # the look at all that there is takes half a second, in which nobody is answered
        gc.collect()
        gc.freeze()  # what is imported stays
        gc.enable()

    def _sweep_all(self) -> None:
        while True:
            temporary_files.sweep()
            self.sweep(time.monotonic())
            time.sleep(SWEEP_SECONDS)

    def sweep(self, now: float) -> None:
        """Drop the encoders and models that nobody has used for a while; `now` is by `time.monotonic`."""
        self.encoder_pool.sweep(now)
        self._models.sweep(now)

    @property
    def encoder(self) -> "Encoder":
        with self._loading:
            return self._encoder

    def encoder_named(self, name: str) -> "Encoder":
        """Return the encoder of that name, the server's own if it is empty.

        Raises:
            EncoderError: it is not on this machine, or is no text encoder.
        """
        return self.encoder if name in ("", self.settings.encoder) else self.encoder_pool.take(name)

    def initial_encoder(self, token: str | None) -> "Encoder":
        """Return the encoder that a run began with.

        Raises:
            RunError: the run is unknown.
            EncoderError: its encoder is not on this machine any more.
        """
        folder = self.runs.folder(token)
        job = folder.job()
        if job.start:  # its name is what whoever made that model says
            return self._models.take(str(folder.start_path), partial(_read, folder.start_path, None)).model.encoder
        return self.encoder_named(job.encoder)

    @cached_property
    def rate(self) -> float:
        """How many short sentences a second the server's own encoder embeds; measured once."""
        from mtst.encoders.info import measure_speed

        return measure_speed(self.encoder)

    @property
    def starter(self) -> "MultiTaskSentenceTransformer":
        with self._loading:
            return self._starter

    @cached_property
    def _encoder(self) -> "Encoder":
        return load_encoder(self.settings.encoder)

    @cached_property
    def _starter(self) -> "MultiTaskSentenceTransformer":
        return load_model(STARTER, self._encoder)

    def run_model(self, token: str | None) -> "MultiTaskSentenceTransformer":
        """Return the model of a finished run, read once and kept while it is among the last used.

        Raises:
            RunError: the run is unknown, or has no model yet.
        """
        from mtst.runs.worker.model import best_model

        folder = self.runs.folder(token)

        def load(kept: "Read | None") -> LoadedModel:
            path = best_model(folder)
            own = (path / ENCODER).is_file()
            return _read(path, None if own else self.initial_encoder(token), kept)

        return self._models.take(str(folder.path), load).model

    def tasks(self, token: str | None) -> tuple["Task", ...]:
        """Return the tasks of a saved model, without reading its weights.

        Raises:
            RunError: the run is unknown, or no model of it is saved.
            ModelError: its description cannot be read.
        """
        folder = self.runs.folder(token)
        if not folder.model_path.is_dir():
            raise RunError("There is no model here. Upload it again.")
        return read_metadata(folder.model_path)[0]

    def delete(self, token: str | None) -> None:
        """Remove a run and all that belongs to it now, also what is kept in memory.

        Raises:
            RunError: there is no such run, or its folder cannot be removed.
        """
        folder = self.runs.folder(token)
        self.runs.delete(token)
        for path in (folder.path, folder.start_path):
            self._models.drop(str(path))
        temporary_files.unlink_zips(folder.path.name)


def _read(path: Path, encoder: "Encoder | None", kept: LoadedModel | None) -> LoadedModel:
    """Return the model of a folder, the one that is kept if it is still that: a run that was resumed has another."""
    written = path.stat().st_mtime_ns
    return kept if kept and kept.written == written else LoadedModel(load_model(str(path), encoder), written)
