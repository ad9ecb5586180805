"""The encoders that visitors choose beside the server's own: one instance of each for all, downloaded once."""

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

MAX_LOADED = 2
REACHABLE_SECONDS = 300  # for which it holds whether the Hub answers
POLL_SECONDS = 0.3  # between two looks at a download


class Download:
    """A download in a thread of its own, for all who wait for it; `visitor` has started it."""

    def __init__(self, name: str, visitor: str, max_megabytes: float) -> None:
        self.visitor = visitor
        self.progress = (0, 0)  # bytes that have come, and bytes in all
        self.future: Future[None] = Future()
        threading.Thread(target=self._run, args=(name, max_megabytes), name="fetch", daemon=True).start()

    def _run(self, name: str, max_megabytes: float) -> None:
        def report(done: int, total: int) -> None:
            self.progress = (done, total)

        try:
            fetch_encoder(name, report, max_megabytes)
        except Exception as error:  # raised again for those who wait
            self.future.set_exception(error)
        else:
            self.future.set_result(None)


class EncoderPool:
    """Loads encoders that are on this machine; others have to be fetched first."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()  # guards the downloads
        self._hub_lock = threading.Lock()  # one thread asks the Hub for all, which may take seconds
        self._encoders: LoadOnceCache[Encoder] = LoadOnceCache(MAX_LOADED)
        self._downloads: dict[str, Download] = {}
        self._hub_asked_at, self._hub_reachable = float("-inf"), False

    def get(self, name: str) -> "Encoder":
        """Return an encoder, which the first call loads.

        Raises:
            EncoderError: it is not on this machine, or is no text encoder.
        """

        def load(cached: "Encoder | None") -> "Encoder":
            if cached is None and find_encoder(name) is None:
                raise EncoderError(f"{name!r} is not on this server any more. Choose it again under Encoder.")
            return cached or load_encoder(name)

        return self._encoders.get_or_load(name, load)

    def drop_idle(self, now: float) -> None:
        """Remove the encoders that were not used for a while; `now` is a time of `time.monotonic`."""
        self._encoders.drop_idle(now)

    def fetch(self, name: str, visitor: str = "") -> Iterator[tuple[int, int]]:
        """Download an encoder unless it is here; yield the bytes that have come and those in all, now and then.

        Concurrent calls wait for the same download, which goes on if all of them are closed.

        Raises:
            EncoderError: it cannot be fetched, is larger than the host allows, or the visitor is fetching another.
        """
        if find_encoder(name):
            return
        with self._lock:
            current = self._downloads.get(name)
            if current is None or current.future.done():  # nobody waited for the end of that one
                current = self._downloads[name] = self._start_download(name, visitor)
        while not current.future.done():
            yield current.progress
            try:
                current.future.exception(POLL_SECONDS)
            except TimeoutError:
                continue
        with self._lock:
            if self._downloads.get(name) is current:
                del self._downloads[name]
        current.future.result()

    def _start_download(self, name: str, visitor: str) -> Download:
        """Start a download, which checks the size in the Hub's list of files against the limit."""
        active = (each for each in self._downloads.values() if not each.future.done())
        if visitor and any(each.visitor == visitor for each in active):
            raise EncoderError(f"Another encoder is on its way to you. Choose {name!r} when that is here.")
        return Download(name, visitor, math.inf if name in CATALOGUE else self._settings.max_encoder_mb)

    def info(self, name: str) -> EncoderInfo:
        """Return what is known of an encoder by its Hub id.

        Raises:
            EncoderError: it does not exist, or is larger than the host allows.
        """
        info = encoder_info(name)
        check_size(name, info.megabytes, self._settings.max_encoder_mb)
        return info

    def can_load(self, name: str) -> bool:
        """Return whether an encoder of the catalogue is on this machine, or can be fetched as of the last minutes."""
        return find_encoder(name) is not None or self.hub_is_reachable

    @property
    def hub_is_reachable(self) -> bool:
        """Whether encoders can be fetched, as of the last minutes."""
        with self._hub_lock:
            if time.monotonic() - self._hub_asked_at > REACHABLE_SECONDS:
                self._hub_reachable, self._hub_asked_at = download.is_reachable(), time.monotonic()
            return self._hub_reachable
