"""What is known of an encoder before it is chosen: its size, whether it has to be downloaded, and its speed."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mtst.assets import load_sts_pairs
from mtst.encoders.catalogue import BLOCK_MATRICES, CATALOGUE, CatalogueEntry
from mtst.encoders.loading import find_encoder, inspect_hub_model

if TYPE_CHECKING:
    from mtst.encoders.encoder import Encoder

SPEED_ROUNDS = 3
SIZE_KEYS = (("num_hidden_layers", "n_layers"), ("hidden_size", "dim"))  # as configurations of different models say


@dataclass(frozen=True)
class EncoderInfo:
    """An encoder that can be chosen.

    Attributes:
        name: what it is loaded by.
        purpose: what it is good for, if that is known.
        is_local: whether it is on this machine, so that nothing has to be downloaded.
        parameters: the number of its parameters; 0 if unknown.
        megabytes: the size of the download if it is not local; 0 if unknown.
        block_parameters: the number of parameters that each token passes through; 0 if unknown.
        entry: what the catalogue says of it, if it is there.
    """

    name: str
    purpose: str
    is_local: bool
    parameters: int
    megabytes: float
    block_parameters: int
    entry: CatalogueEntry | None = None

    def estimate_speed(self, reference: "Encoder", rate: float) -> float | None:
        """Return about how many sentences a second it embeds, if its size is known.

        The time of a pass grows with the parameters that each token passes through. Small encoders use a machine less
        well, so larger ones turn out somewhat quicker than this says.

        Args:
            reference: an encoder that is loaded.
            rate: how many sentences a second the reference embeds.
        """
        cost = _count_block_parameters(reference)
        return rate * cost / self.block_parameters if cost and self.block_parameters else None


def encoder_info(name: str) -> EncoderInfo:
    """Return what is known of an encoder; the Hub is asked if it is neither in the catalogue nor on this machine.

    Raises:
        EncoderError: there is no such encoder, or the Hub cannot be asked.
    """
    folder = find_encoder(name)
    if entry := CATALOGUE.get(name):
        return EncoderInfo(
            name,
            entry.purpose,
            is_local=folder is not None,
            parameters=entry.parameters,
            megabytes=entry.megabytes,
            block_parameters=entry.block_parameters,
            entry=entry,
        )
    if folder:
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        return EncoderInfo(name, "", is_local=True, parameters=0, megabytes=size / 1e6, block_parameters=0)
    model = inspect_hub_model(name)
    return EncoderInfo(
        name,
        "",
        is_local=False,
        parameters=model.parameters,
        megabytes=model.size / 1e6,
        block_parameters=_estimate_block_parameters(model.config),
    )


def measure_speed(encoder: "Encoder", texts: Sequence[str] = ()) -> float:
    """Measure how many texts a second an encoder embeds on this machine, in the best of some rounds.

    Without `texts` it embeds short sentences.
    """
    if not texts:
        first, second, _ = load_sts_pairs()
        texts = [*first, *second]
    seconds = []
    for _ in range(SPEED_ROUNDS):
        start = time.perf_counter()
        encoder.encode_uncached(texts)  # in evaluation mode like any other call, so others may encode meanwhile
        seconds.append(time.perf_counter() - start)
    return len(texts) / min(seconds)


def _count_block_parameters(encoder: "Encoder") -> int:
    named = dict(encoder.backbone.named_parameters())
    blocks = (group for group in encoder.groups if group.key.startswith("block-"))
    return sum(named[name].numel() for group in blocks for name in group.parameters)


def _estimate_block_parameters(config: Mapping[str, Any]) -> int:
    """Return the number of parameters in the blocks that a configuration describes; 0 if it does not say."""
    blocks, width = (config.get(key) or config.get(other) for key, other in SIZE_KEYS)
    if isinstance(blocks, int) and isinstance(width, int):
        return blocks * BLOCK_MATRICES * width**2
    return 0
