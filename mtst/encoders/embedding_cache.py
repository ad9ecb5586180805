"""Embeddings by text, cached as long as the weights stay as they are."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Row = NDArray[np.float32]
MAX_NUMBERS = 25_000_000  # 100 MB of float32


class EmbeddingCache:
    """A cache of the least recently used kind that is emptied when the revision of the weights changes.

    Keys are digests of the texts: texts may take far more memory than their embeddings. Threads may share a cache.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: OrderedDict[bytes, Row] = OrderedDict()
        self._revision: object = None

    def __reduce__(self) -> tuple[type["EmbeddingCache"], tuple[()]]:
        """A copy, also in another process, begins empty and has a lock of its own."""
        return EmbeddingCache, ()

    def get(self, texts: Sequence[str], revision: object) -> dict[str, Row]:
        """Return the cached embeddings (d,) of those texts that have one at this revision."""
        keys = {text: _key(text) for text in texts}
        with self._lock:
            if revision != self._revision:
                self._rows.clear()
                self._revision = revision
            cached = {text: self._rows[key] for text, key in keys.items() if key in self._rows}
            for text in cached:
                self._rows.move_to_end(keys[text])
            return cached

    def put(self, rows: dict[str, Row], revision: object) -> None:
        """Cache embeddings computed at a revision, unless the revision has changed since."""
        keyed = {_key(text): row for text, row in rows.items()}
        with self._lock:
            if revision != self._revision:
                return
            self._rows |= keyed
            while self._rows and len(self._rows) * next(iter(self._rows.values())).size > MAX_NUMBERS:
                self._rows.popitem(last=False)


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
