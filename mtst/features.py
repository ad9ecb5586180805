"""The frozen prefix, computed once: what a training loop takes its embeddings from."""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from mtst.encoder import Encoder


class Features(Protocol):
    """The embeddings of a fixed list of texts, asked for by place."""

    lengths: Sequence[int]

    def batch(self, places: Sequence[int]) -> Tensor:
        """Return the embeddings (b, d) of the texts at b places."""


class PooledFeatures:
    """Embeddings of a frozen encoder: the same at every epoch, so they are only looked up.

    They are handed in as a tensor (n, d).
    """

    def __init__(self, embeddings: Tensor) -> None:
        self.embeddings = embeddings
        self.lengths = [1] * len(embeddings)

    def batch(self, places: Sequence[int]) -> Tensor:
        return self.embeddings[torch.as_tensor(places)]


class LiveFeatures:
    """Embeddings of an encoder that trains: tokenized once, passed through the encoder at every call."""

    def __init__(self, encoder: Encoder, texts: Sequence[str]) -> None:
        self.encoder = encoder
        self.ids = encoder.tokenize(texts)
        self.lengths = [len(tokens) for tokens in self.ids]

    def batch(self, places: Sequence[int]) -> Tensor:
        return self.encoder.embed([self.ids[place] for place in places])


def features(encoder: Encoder, texts: Sequence[str], *, frozen: bool) -> Features:
    """Return the embeddings of texts, computed now if the whole encoder is frozen."""
    if frozen:
        return PooledFeatures(torch.from_numpy(encoder.encode(texts)).to(encoder.device))
    return LiveFeatures(encoder, texts)
