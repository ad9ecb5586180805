"""What the tabs share, and nothing else: the settings, the encoders, the starter model, the runs."""

import gc
import logging
import threading
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mtst.encoders import load_encoder
from mtst.errors import MtstError
from mtst.runs import Runs
from mtst.saved import ENCODER
from mtst.settings import Settings
from mtst.starter import STARTER, load_model
from mtst.ui import downloads
from mtst.ui.load import Meter
from mtst.ui.shelf import Shelf

if TYPE_CHECKING:
    from mtst.encoder import Encoder
    from mtst.model import MultiTaskSentenceTransformer

LOG = logging.getLogger(__name__)
MODELS_KEPT = 2
SWEEP_SECONDS = 600


class Services:
    """Loaded when first asked for; encoders are the one thing that all visitors share."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.runs = Runs(settings)
        self.meter = Meter()
        self.shelf = Shelf(settings)
        self._loading = threading.Lock()
        threading.Thread(target=self._sweep, name="sweep", daemon=True).start()
        self._trained: dict[tuple[str, int], MultiTaskSentenceTransformer] = {}

    def warm_up(self) -> None:
        """Load behind the scenes what the first visitor will need."""
        threading.Thread(target=self._warm_up, name="warm-up", daemon=True).start()

    def _warm_up(self) -> None:
        try:
            _ = self.encoder, self.starter
        except MtstError as error:  # every tab says the same to its visitors
            LOG.error("%s", error)
        gc.collect()
        gc.freeze()  # what is imported stays
        gc.enable()

    def _sweep(self) -> None:
        while True:
            downloads.sweep()
            self.shelf.sweep(time.monotonic())
            time.sleep(SWEEP_SECONDS)

    @property
    def encoder(self) -> "Encoder":
        with self._loading:
            return self._encoder

    def encoder_named(self, name: str) -> "Encoder":
        """Return the encoder of that name, the server's own if it is empty.

        Raises:
            EncoderError: it is not on this machine, or is no text encoder.
        """
        return self.encoder if name in ("", self.settings.encoder) else self.shelf.take(name)

    def first_encoder(self, token: str | None) -> "Encoder":
        """Return the encoder that a run began with.

        Raises:
            RunError: the run is unknown.
            EncoderError: its encoder is not on this machine any more.
        """
        folder = self.runs.folder(token)
        job = folder.job()
        if job.start:  # its name is what whoever made that model says
            return self._kept(folder.start_path, None).encoder
        return self.encoder_named(job.encoder)

    @cached_property
    def rate(self) -> float:
        """How many short sentences a second the server's own encoder embeds; measured once."""
        from mtst.offers import sentences_a_second

        return sentences_a_second(self.encoder)

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

    def trained(self, token: str | None) -> "MultiTaskSentenceTransformer":
        """Return the model of a finished run, read once and kept while it is among the last used.

        Raises:
            RunError: the run is unknown, or has no model yet.
        """
        from mtst.recovering import best_model

        folder = self.runs.folder(token)
        with self._loading:
            path = best_model(folder)
        encoder = None if (path / ENCODER).is_file() else self.first_encoder(token)  # one of its own, or the first
        return self._kept(path, encoder)

    def _kept(self, path: Path, encoder: "Encoder | None") -> "MultiTaskSentenceTransformer":
        """Return the model of a folder, read once and kept while it is among the last used."""
        with self._loading:
            key = str(path), path.stat().st_mtime_ns  # a run that was resumed has another model
            model = self._trained.pop(key, None) or load_model(str(path), encoder)
            self._trained[key] = model
            while len(self._trained) > MODELS_KEPT:
                self._trained.pop(next(iter(self._trained)))
            return model
