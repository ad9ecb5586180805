"""Where a training loop takes its embeddings from, so that only what can change is computed.

What lies below the lowest open group gives the same at every epoch. With a frozen encoder the embeddings themselves
are cached; with only its top open, the hidden states that enter the lowest open block.
"""

import os
from collections.abc import Sequence
from tempfile import TemporaryFile, gettempdir
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from mtst.encoders.encoder import Encoder
from mtst.encoders.inputs import batches_by_length
from mtst.encoders.layers import evaluation_mode
from mtst.errors import ModelError
from mtst.model.layer_groups import BLOCK, is_head
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training.distributed import SINGLE_PROCESS, ProcessGroup

MEMORY_BYTES = 1_000_000_000  # of hidden states in memory; more go to a file


class Features(Protocol):
    """The embeddings of a fixed list of texts, by index."""

    @property
    def lengths(self) -> Sequence[int]:
        """The number of tokens of each text."""

    def batch(self, rows: Sequence[int]) -> Tensor:
        """Return the embeddings (b, d) of the texts at b indices."""


class PooledFeatures:
    """Embeddings (n, d) of a frozen encoder, looked up."""

    def __init__(self, embeddings: Tensor) -> None:
        self.embeddings = embeddings
        self.lengths = [1] * len(embeddings)

    def batch(self, rows: Sequence[int]) -> Tensor:
        return self.embeddings[torch.as_tensor(rows)]


class UncachedFeatures:
    """Embeddings of an encoder that trains to its bottom, passed through it at every call."""

    def __init__(self, encoder: Encoder, ids: Sequence[Sequence[int]]) -> None:
        self.encoder = encoder
        self.ids = ids
        self.lengths = [len(tokens) for tokens in ids]

    def batch(self, rows: Sequence[int]) -> Tensor:
        return self.encoder.embed([self.ids[row] for row in rows])


class BoundaryFeatures(UncachedFeatures):
    """Embeddings of an encoder whose blocks below `block` are frozen: what enters that block is looked up.

    `fill` computes it, a part at a time, before the first `batch`.
    """

    def __init__(self, encoder: Encoder, ids: Sequence[Sequence[int]], block: int) -> None:
        super().__init__(encoder, ids)
        self.block = block
        self._ends = np.cumsum(self.lengths)
        self._states = torch.empty(0, 0)

    def fill(self, rows: Sequence[int]) -> None:
        """Compute what enters the block for the texts at some indices."""
        states = self.encoder.hidden_states([self.ids[row] for row in rows], self.block)
        self._allocate_like(states)
        self._states[self._tokens(rows)] = states.cpu()

    def complete(self, process_group: ProcessGroup) -> None:
        """Add what the other processes have computed."""
        if process_group.world_size > 1:
            if not len(self._states):  # fewer batches than processes
                self._allocate_like(self.encoder.hidden_states([self.ids[0]], self.block))
            process_group.all_reduce(self._states)

    def batch(self, rows: Sequence[int]) -> Tensor:
        hidden = self._states[self._tokens(rows)].to(self.encoder.device)
        return self.encoder.embed([self.ids[row] for row in rows], self.block, hidden)

    def _allocate_like(self, states: Tensor) -> None:
        """Make room for the states (tokens, d) of all texts, if there is none yet."""
        if not len(self._states):
            self._states = allocate((int(self._ends[-1]), states.shape[1]), states.dtype)

    def _tokens(self, rows: Sequence[int]) -> Tensor:
        """Return the indices of the tokens of some texts, text after text."""
        spans = [np.arange(self._ends[row] - self.lengths[row], self._ends[row]) for row in rows]
        return torch.from_numpy(np.concatenate(spans))


class FeatureRows:
    """Some rows of other features, in an order of their own."""

    def __init__(self, features: Features, rows: Sequence[int]) -> None:
        self._features, self._rows = features, rows
        self.lengths = [features.lengths[row] for row in rows]

    def batch(self, rows: Sequence[int]) -> Tensor:
        return self._features.batch([self._rows[row] for row in rows])


def allocate(shape: tuple[int, int], dtype: torch.dtype) -> Tensor:
    """Return a tensor of zeros: in memory up to `MEMORY_BYTES`, else in a mapped file that nobody else can see.

    The file's space is reserved at once, so that a full disk is an error here and not a crash later.

    Raises:
        ModelError: there is no space.
    """
    size = shape[0] * shape[1] * dtype.itemsize
    if size <= MEMORY_BYTES:
        return torch.zeros(shape, dtype=dtype)
    try:
        with TemporaryFile() as file:
            os.posix_fallocate(file.fileno(), 0, size)
            mapped = np.memmap(file, np.uint8, "r+", shape=(size,))
    except OSError as error:
        raise ModelError(
            f"What enters the lowest open layer takes {size / 1e9:.1f} GB, for which {gettempdir()} has no room "
            f"({error.strerror}). Free some, name a larger folder in TMPDIR, or take fewer rows."
        ) from error
    return torch.from_numpy(mapped).view(dtype).view(shape)


def boundary_block(opened: set[str], keys: Sequence[str], blocks: int) -> int | None:
    """Return the lowest block that is open or has an open group below it; None if the encoder is frozen.

    0 stands for the bottom, from where nothing can be cached.

    Args:
        opened: keys of the open groups.
        keys: keys of all groups, bottom up.
        blocks: how many blocks a pass can begin at.
    """
    lowest = next((key for key in keys if key in opened and not is_head(key)), None)
    if lowest is None:
        return None
    if not blocks or not any(key.startswith(BLOCK) for key in keys[: keys.index(lowest)]):
        return 0
    return int(lowest.removeprefix(BLOCK)) if lowest.startswith(BLOCK) else blocks - 1


def compute_embeddings(
    model: MultiTaskSentenceTransformer, features: Features, process_group: ProcessGroup = SINGLE_PROCESS
) -> Tensor:
    """Return the embeddings (n, d) of all n texts of `features`, computed in evaluation mode; on the CPU."""
    embeddings = torch.zeros(len(features.lengths), model.encoder.dimension)
    with evaluation_mode(model):
        for number, rows in enumerate(batches_by_length(features.lengths)):
            if process_group.owns(number):
                embeddings[torch.tensor(rows)] = features.batch(rows).cpu()
    return process_group.all_reduce(embeddings)
