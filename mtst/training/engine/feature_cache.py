"""Passing all sentences of a run through what is frozen, part by part, so that its progress can be seen."""

import time
from collections.abc import Generator, Sequence

import torch
from torch import Tensor

from mtst.encoders.encoder import Encoder
from mtst.encoders.inputs import batches_by_length
from mtst.training.distributed import ProcessGroup
from mtst.training.engine.features import BoundaryFeatures, FeatureRows, Features, PooledFeatures, UncachedFeatures
from mtst.training.events import Cached, Embedded

ROWS_PER_PART = 512
MAX_BYTES = 2_000_000_000  # of features that several runs share
FeatureComputation = Generator[Embedded, None, list[Features]]


def cache_kind(block: int | None) -> Cached:
    """Return what is looked up when `block`, as `boundary_block` returns it, is the lowest open one."""
    if block is None:
        return "embeddings"
    return "hidden states" if block else "nothing"


def compute_features(
    encoder: Encoder, parts: Sequence[Sequence[str]], block: int | None, start: float, process_group: ProcessGroup
) -> FeatureComputation:
    """Compute the features of some lists of texts; return them in the same order.

    Args:
        encoder: the encoder as it is now.
        parts: the lists of texts.
        block: the lowest open block, 0 for the bottom, None if the whole encoder is frozen.
        start: when the run began, by `time.perf_counter`.
        process_group: the processes that share the work.
    """
    if block is None:
        embeddings = yield from compute_pooled(encoder, parts, start, process_group)
        return [PooledFeatures(part) for part in embeddings]
    if block == 0:
        return [UncachedFeatures(encoder, encoder.tokenize(texts)) for texts in parts]
    return (yield from _hidden_states(encoder, parts, block, start, process_group))


def compute_pooled(
    encoder: Encoder, parts: Sequence[Sequence[str]], start: float, process_group: ProcessGroup
) -> Generator[Embedded, None, tuple[Tensor, ...]]:
    """Compute the embeddings (n, d) of some lists of n texts; return them in the same order."""
    texts = [text for part in parts for text in part]
    rows = torch.zeros(len(texts), encoder.dimension)
    for number, first in enumerate(range(0, len(texts), ROWS_PER_PART)):
        last = min(first + ROWS_PER_PART, len(texts))
        if process_group.owns(number):
            rows[first:last] = torch.from_numpy(encoder.encode(texts[first:last]))
        yield _progress(last, len(texts), start)
    process_group.all_reduce(rows)
    embeddings: tuple[Tensor, ...] = rows.to(encoder.device).split([len(part) for part in parts])
    return embeddings


def _hidden_states(
    encoder: Encoder, parts: Sequence[Sequence[str]], block: int, start: float, process_group: ProcessGroup
) -> FeatureComputation:
    features = [BoundaryFeatures(encoder, encoder.tokenize(texts), block) for texts in parts]
    done = reported = number = 0
    total = sum(map(len, parts))
    for part in features:
        for rows in batches_by_length(part.lengths):
            if process_group.owns(number):
                part.fill(rows)
            number += 1
            done += len(rows)
            if done - reported >= ROWS_PER_PART or done == total:
                reported = done
                yield _progress(done, total, start)
        part.complete(process_group)
    return list(features)


def _progress(rows: int, total: int, start: float) -> Embedded:
    return Embedded(rows, total, round(time.perf_counter() - start, 4))


class FeatureCache:
    """Features that several runs of rows of one set take from one encoder as it was before any of them.

    What lies below the lowest open group has never moved in any run, so it is computed in the first that needs it: for
    all texts of the set at once, since other runs take other rows of it.

    Args:
        texts: all that any of the runs reads.

    Attributes:
        seconds_saved: what the others would have spent on it.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._rows = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        self._features: dict[int | None, tuple[Features, float]] = {}
        self._bytes = 0
        self.seconds_saved = 0.0

    def compute(
        self,
        encoder: Encoder,
        parts: Sequence[Sequence[str]],
        block: int | None,
        start: float,
        process_group: ProcessGroup,
    ) -> FeatureComputation:
        """Do what `compute_features` does, or look up what an earlier call has computed."""
        if block in self._features:
            features, seconds = self._features[block]
            self.seconds_saved += seconds * sum(map(len, parts)) / max(1, len(self._rows))
        elif self._has_room(encoder, block):
            began = time.perf_counter()
            (features,) = yield from compute_features(encoder, [list(self._rows)], block, start, process_group)
            self._features[block] = features, time.perf_counter() - began
        else:
            return (yield from compute_features(encoder, parts, block, start, process_group))
        return [FeatureRows(features, [self._rows[text] for text in part]) for part in parts]

    def _has_room(self, encoder: Encoder, block: int | None) -> bool:
        """Return whether features at a block can be kept, and count them if so; at the bottom there are none."""
        if block == 0:
            return False
        rows = len(self._rows) if block is None else sum(map(len, encoder.tokenize(list(self._rows))))
        self._bytes += (size := 4 * encoder.dimension * rows)
        if self._bytes > MAX_BYTES:
            self._bytes -= size
            return False
        return True
