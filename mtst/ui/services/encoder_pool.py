"""The encoders that the server has in memory beside its own: one of each name for all visitors, fetched once."""

import math
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from typing import TYPE_CHECKING

from mtst.encoders.catalogue import CATALOGUE
from mtst.encoders.hub import download
from mtst.encoders.hub.limits import check_size
from mtst.encoders.info import EncoderInfo, encoder_info
from mtst.encoders.loading import fetch_encoder, find_encoder, load_encoder
from mtst.errors import EncoderError
from mtst.runs.settings import Settings
from mtst.ui.services.cache import LoadOnceCache

if TYPE_CHECKING:
    from mtst.encoders.encoder import Encoder

KEPT = 2
ASK_SECONDS = 300  # for which it holds whether the Hub answers
PACE_SECONDS = 0.3  # between two looks at a download


class Download:
    """What is being fetched, for all who wait for it; `who` has begun it."""

    def __init__(self, name: str, visitor: str, megabytes: float) -> None:
        self.visitor = visitor
        self.progress = (0, 0)
        self.done: Future[None] = Future()
        threading.Thread(target=self._run, args=(name, megabytes), name="fetch", daemon=True).start()

    def _run(self, name: str, megabytes: float) -> None:
        def told(done: int, total: int) -> None:
            self.progress = (done, total)

        try:
            fetch_encoder(name, told, megabytes)
        except Exception as error:  # it belongs to whoever waits
            self.done.set_exception(error)
        else:
            self.done.set_result(None)


class EncoderPool:
    """Takes what is on this machine; what is not has to be fetched first."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()  # of the downloads
        self._asking = threading.Lock()  # one asks the Hub for all, which may take seconds
        self._encoders: LoadOnceCache[Encoder] = LoadOnceCache(KEPT)
        self._downloads: dict[str, Download] = {}
        self._asked, self._answers = float("-inf"), False

    def take(self, name: str) -> "Encoder":
        """Return an encoder, loaded by whoever asks first.

        Raises:
            EncoderError: it is not on this machine, or is no text encoder.
        """

        def load(kept: "Encoder | None") -> "Encoder":
            if kept is None and find_encoder(name) is None:
                raise EncoderError(f"{name!r} is not on this server any more. Choose it again under Encoder.")
            return kept or load_encoder(name)

        return self._encoders.take(name, load)

    def sweep(self, now: float) -> None:
        """Drop the encoders that nobody has used for a while; `now` is by `time.monotonic`."""
        self._encoders.sweep(now)

    def fetch(self, name: str, visitor: str = "") -> Iterator[tuple[int, int]]:
        """Fetch an encoder if it is not here; yield how many bytes of how many have come, now and then.

        Whoever else wants it meanwhile waits for the same download, which goes on if nobody does.

        Raises:
            EncoderError: it is not to be had, or larger than the host allows; or that visitor fetches another.
        """
        if find_encoder(name):
            return
        with self._lock:
            download = self._downloads.get(name)
            if download is None or download.done.done():  # nobody waited for the end of that one
                download = self._downloads[name] = self._begin(name, visitor)
        while not download.done.done():
            yield download.progress
            try:
                download.done.exception(PACE_SECONDS)
            except TimeoutError:
                continue
        with self._lock:
            if self._downloads.get(name) is download:
                del self._downloads[name]
        download.done.result()

    def _begin(self, name: str, visitor: str) -> Download:
        """Begin a download, whose size is held against the limit by the list that it follows."""
        if visitor and any(visitor == each.visitor and not each.done.done() for each in self._downloads.values()):
            raise EncoderError(f"Another encoder is on its way to you. Choose {name!r} when that is here.")
        return Download(name, visitor, math.inf if name in CATALOGUE else self._settings.max_encoder_mb)

    def look(self, name: str) -> EncoderInfo:
        """Return what is known of an encoder by its Hub id.

        Raises:
            EncoderError: there is none, or it is larger than the host allows.
        """
        found = encoder_info(name)
        check_size(name, found.megabytes, self._settings.max_encoder_mb)
        return found

    @property
    def hub_is_reachable(self) -> bool:
        """Whether something can be fetched, as of the last minutes."""
        with self._asking:
            if time.monotonic() - self._asked > ASK_SECONDS:
                self._answers, self._asked = download.is_reachable(), time.monotonic()
            return self._answers
