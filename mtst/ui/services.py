"""What the tabs share, and nothing else: the settings, the encoder, the starter model, the runs."""

import threading
from functools import cached_property

from mtst.encoder import Encoder
from mtst.encoders import load_encoder
from mtst.errors import RunError
from mtst.model import MultiTaskSentenceTransformer
from mtst.runs import Runs
from mtst.settings import Settings
from mtst.starter import STARTER, load_model

MODELS_KEPT = 2


class Services:
    """Loaded when first asked for; the encoder is the one thing that all visitors share."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.runs = Runs(settings)
        self._loading = threading.Lock()
        self._trained: dict[str, MultiTaskSentenceTransformer] = {}

    def warm_up(self) -> None:
        """Load behind the scenes what the first visitor will need."""
        threading.Thread(target=lambda: self.starter, name="warm-up", daemon=True).start()

    @property
    def encoder(self) -> Encoder:
        with self._loading:
            return self._encoder

    @property
    def starter(self) -> MultiTaskSentenceTransformer:
        with self._loading:
            return self._starter

    @cached_property
    def _encoder(self) -> Encoder:
        return load_encoder(self.settings.encoder)

    @cached_property
    def _starter(self) -> MultiTaskSentenceTransformer:
        return load_model(STARTER, self._encoder)

    def trained(self, token: str | None) -> MultiTaskSentenceTransformer:
        """Return the model of a finished run, read once and kept while it is among the last used.

        Raises:
            RunError: the run is unknown, or has no model yet.
        """
        folder = self.runs.folder(token)
        if not folder.model_path.is_dir():
            raise RunError("Your run has no model yet. Wait until it has ended, or use the starter heads.")
        encoder = self.encoder
        with self._loading:
            key = folder.path.name
            model = self._trained.pop(key, None) or MultiTaskSentenceTransformer.load(folder.model_path, encoder)
            self._trained[key] = model
            while len(self._trained) > MODELS_KEPT:
                self._trained.pop(next(iter(self._trained)))
            return model
