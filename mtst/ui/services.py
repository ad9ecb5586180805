"""What the tabs share, and nothing else: the settings, the encoder, the starter model, the runs."""

import gc
import logging
import threading
import time
from functools import cached_property
from typing import TYPE_CHECKING

from mtst.encoders import load_encoder
from mtst.errors import MtstError
from mtst.runs import Runs
from mtst.settings import Settings
from mtst.starter import STARTER, load_model
from mtst.ui import downloads
from mtst.ui.load import Meter

if TYPE_CHECKING:
    from mtst.encoder import Encoder
    from mtst.model import MultiTaskSentenceTransformer

LOG = logging.getLogger(__name__)
MODELS_KEPT = 2
SWEEP_SECONDS = 600


class Services:
    """Loaded when first asked for; the encoder is the one thing that all visitors share."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.runs = Runs(settings)
        self.meter = Meter()
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
        self.runs.warm_up()

    def _sweep(self) -> None:
        while True:
            downloads.sweep()
            time.sleep(SWEEP_SECONDS)

    @property
    def encoder(self) -> "Encoder":
        with self._loading:
            return self._encoder

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
        encoder = self.encoder
        with self._loading:
            path = best_model(folder)
            key = folder.path.name, path.stat().st_mtime_ns  # a run that was resumed has another model
            model = self._trained.pop(key, None) or load_model(str(path), encoder)
            self._trained[key] = model
            while len(self._trained) > MODELS_KEPT:
                self._trained.pop(next(iter(self._trained)))
            return model
