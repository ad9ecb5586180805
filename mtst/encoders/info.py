"""What is known of an encoder before it is chosen: its size, whether it is here, and how quick it will be."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtst.assets import load_sts_pairs
from mtst.encoders.catalogue import CATALOGUE, MATRICES
from mtst.encoders.loading import find_encoder, inspect_hub_model

if TYPE_CHECKING:
    from mtst.encoders.encoder import Encoder

ROUNDS = 3
SIZES = (("num_hidden_layers", "n_layers"), ("hidden_size", "dim"))  # as configurations call them


@dataclass(frozen=True)
class EncoderInfo:
    """An encoder that can be chosen.

    Attributes:
        name: what it is loaded by.
        purpose: what it is good for, if we know.
        is_local: whether it is on this machine, so that nothing has to be downloaded.
        parameters: how many numbers it consists of; 0 if that is not known.
        megabytes: what has to be downloaded if it is not local; 0 if that is not known.
        block_parameters: how many of its numbers each token meets; 0 if that is not known.
    """

    name: str
    purpose: str
    is_local: bool
    parameters: int
    megabytes: float
    block_parameters: int

    def estimate_speed(self, known: "Encoder", rate: float) -> float | None:
        """Return about how many sentences a second it embeds.

        The time of a pass grows with the numbers that each token meets; small encoders use a machine less well, so
        the larger ones turn out somewhat quicker than this says.

        Args:
            known: an encoder that is loaded.
            rate: how many sentences a second that one embeds.
        """
        cost = _block_parameters(known)
        return rate * cost / self.block_parameters if cost and self.block_parameters else None


def encoder_info(name: str) -> EncoderInfo:
    """Return what is known of an encoder; the Hub is asked of one that is neither in the catalogue nor here.

    Raises:
        EncoderError: there is no such encoder, or the Hub cannot be asked.
    """
    folder = find_encoder(name)
    if entry := CATALOGUE.get(name):
        return EncoderInfo(
            name, entry.purpose, folder is not None, entry.parameters, entry.megabytes, entry.block_parameters
        )
    if folder:
        return EncoderInfo(name, "", True, 0, _size(folder) / 1e6, 0)
    listing = inspect_hub_model(name)
    return EncoderInfo(name, "", False, listing.parameters, listing.size / 1e6, _cost(listing.config))


def measure_speed(encoder: "Encoder") -> float:
    """Measure how many short sentences a second an encoder embeds on this machine, in the best of some rounds."""
    first, second, _ = load_sts_pairs()
    texts = [*first, *second]
    rounds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        encoder.encode_uncached(texts)  # as visitors have it, and as others may do at the same time
        rounds.append(time.perf_counter() - start)
    return len(texts) / min(rounds)


def _block_parameters(encoder: "Encoder") -> int:
    named = dict(encoder.backbone.named_parameters())
    blocks = (group for group in encoder.groups if group.key.startswith("block-"))
    return sum(named[name].numel() for group in blocks for name in group.parameters)


def _cost(config: Mapping[str, Any]) -> int:
    """Return how many numbers each token meets, from a configuration; 0 if it does not say."""
    sizes = [config.get(name) or config.get(other) for name, other in SIZES]
    if not all(isinstance(size, int) for size in sizes):
        return 0
    blocks, width = sizes
    return blocks * MATRICES * width**2


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
