"""Passing all sentences of a run through what is frozen, part by part, so that one can look on and stop."""

import time
from collections.abc import Generator, Sequence

import torch
from torch import Tensor

from mtst.encoders.encoder import Encoder, batches_by_length
from mtst.training.distributed import ProcessGroup
from mtst.training.engine.features import BoundaryFeatures, Features, PooledFeatures, UncachedFeatures
from mtst.training.events import Cached, Embedded

ROWS_AT_ONCE = 512
SHARED_BYTES = 2_000_000_000  # of features that several runs share
Preparation = Generator[Embedded, None, list[Features]]


def cache_kind(block: int | None) -> Cached:
    """Return what is looked up when the lowest open block is `block`, as `mtst.training.engine.features.boundary_block` tells it."""
    if block is None:
        return "embeddings"
    return "hidden states" if block else "nothing"


def compute_features(
    encoder: Encoder, parts: Sequence[Sequence[str]], block: int | None, start: float, process_group: ProcessGroup
) -> Preparation:
    """Return the features of some lists of texts.

    Args:
        encoder: the encoder as it is now.
        parts: the lists of texts.
        block: the lowest open block, 0 for the bottom, None if the whole encoder is frozen.
        start: when the run began, by `time.perf_counter`.
        process_group: the processes that share the work.
    """
    if block is None:
        return (yield from _pooled(encoder, parts, start, process_group))
    if block == 0:
        return [UncachedFeatures(encoder, encoder.tokenize(texts)) for texts in parts]
    return (yield from _states(encoder, parts, block, start, process_group))


def _pooled(encoder: Encoder, parts: Sequence[Sequence[str]], start: float, process_group: ProcessGroup) -> Preparation:
    texts = [text for part in parts for text in part]
    rows = torch.zeros(len(texts), encoder.dimension)
    for number, first in enumerate(range(0, len(texts), ROWS_AT_ONCE)):
        some = texts[first : first + ROWS_AT_ONCE]
        if process_group.owns(number):
            rows[first : first + len(some)] = torch.from_numpy(encoder.encode(some))
        yield _told(first + len(some), len(texts), start)
    process_group.all_reduce(rows)
    made: tuple[Tensor, ...] = rows.to(encoder.device).split([len(part) for part in parts])
    return [PooledFeatures(part) for part in made]


def _states(
    encoder: Encoder, parts: Sequence[Sequence[str]], block: int, start: float, process_group: ProcessGroup
) -> Preparation:
    made = [BoundaryFeatures(encoder, encoder.tokenize(texts), block) for texts in parts]
    done = told = number = 0
    total = sum(map(len, parts))
    for features in made:
        for places in batches_by_length(features.lengths):
            if process_group.owns(number):
                features.keep(places)
            number += 1
            done += len(places)
            if done - told >= ROWS_AT_ONCE or done == total:
                told = done
                yield _told(done, total, start)
        features.complete(process_group)
    return list(made)


def _told(rows: int, total: int, start: float) -> Embedded:
    return Embedded(rows, total, round(time.perf_counter() - start, 4))


class FeatureCache:
    """Features that several runs of the same rows take from one encoder as it was before any of them.

    What lies below the lowest open group has never moved in any run, so it is computed in the first that needs it.

    Attributes:
        spared: seconds that the others did not spend.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int], tuple[list[Features], float]] = {}
        self._bytes = 0
        self.spared = 0.0

    def prepare(
        self,
        encoder: Encoder,
        parts: Sequence[Sequence[str]],
        block: int | None,
        start: float,
        process_group: ProcessGroup,
    ) -> Preparation:
        """Do what the function of that name does, or return what an earlier call has made."""
        key = -1 if block is None else block, sum(map(len, parts))
        if key in self._kept:
            made, seconds = self._kept[key]
            self.spared += seconds
            return made
        began = time.perf_counter()
        made = yield from compute_features(encoder, parts, block, start, process_group)
        size = 4 * encoder.dimension * sum(sum(features.lengths) for features in made)
        if block != 0 and self._bytes + size <= SHARED_BYTES:
            self._kept[key] = made, time.perf_counter() - began
            self._bytes += size
        return made
