"""Embeddings by text, kept as long as the weights that made them."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

CACHED_NUMBERS = 25_000_000  # 100 MB of float32


class EmbeddingCache:
    """The least recently used text is dropped first; all are dropped when the weights' revision is another.

    Of a text only a digest is kept: texts may take far more memory than their embeddings.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: OrderedDict[bytes, np.ndarray] = OrderedDict()
        self._revision: object = None

    def __deepcopy__(self, memo: dict) -> "EmbeddingCache":
        return EmbeddingCache()

    def get(self, texts: Sequence[str], revision: object) -> dict[str, np.ndarray]:
        """Return the embeddings (d,) that are known of these texts at this revision."""
        keys = {text: _key(text) for text in texts}
        with self._lock:
            if revision != self._revision:
                self._rows.clear()
                self._revision = revision
            found = {text: self._rows[key] for text, key in keys.items() if key in self._rows}
            for text in found:
                self._rows.move_to_end(keys[text])
            return found

    def put(self, rows: dict[str, np.ndarray], revision: object) -> None:
        """Keep embeddings that were made at this revision, unless the weights have moved on meanwhile."""
        keyed = {_key(text): row for text, row in rows.items()}
        with self._lock:
            if revision != self._revision:
                return
            self._rows |= keyed
            while self._rows and len(self._rows) * next(iter(self._rows.values())).size > CACHED_NUMBERS:
                self._rows.popitem(last=False)


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
