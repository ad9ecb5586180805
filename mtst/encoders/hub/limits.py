"""Which downloads are too large: for the host, for the disk, or for the model's own weights."""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mtst.encoders.hub.model_size import estimate_size
from mtst.errors import EncoderError

DISK_RESERVE = 1_000_000_000  # bytes of the disk that stay free for the runs
ALLOWED_BYTES = 100_000_000  # a network of this size is accepted whatever its weights
MAX_RATIO = 5  # of network to weights: weights may be in 16 bits, or those of an encoder without its decoder


def check_size(name: str, megabytes: float, max_megabytes: float) -> None:
    """Refuse an encoder that is larger than the host allows.

    Raises:
        EncoderError: it is.
    """
    if megabytes > max_megabytes:
        raise EncoderError(
            f"{name!r} has {megabytes:,.0f} MB; this server takes encoders up to {max_megabytes:,.0f} MB. "
            "Choose a smaller one."
        )


def check_network(name: str, configs: Iterable[Mapping[str, Any]], weight_bytes: int) -> None:
    """Refuse a network far larger than its weights: Transformers would initialise the rest, in memory.

    Args:
        name: the model's name.
        configs: the configurations of its modules.
        weight_bytes: the size of its weights.

    Raises:
        EncoderError: the network is far larger.
        Exception: of the libraries, if a configuration describes no network.
    """
    described = sum(map(estimate_size, configs))
    if described > max(MAX_RATIO * weight_bytes, ALLOWED_BYTES):
        raise EncoderError(
            f"{name!r} describes a network of {described / 1e6:,.0f} MB and has weights of {weight_bytes / 1e6:,.0f} "
            "MB. Choose another encoder."
        )


def check_room(name: str, needed: int, cache: Path) -> None:
    """Refuse a download of `needed` bytes that would not leave room on the disk for the runs.

    Raises:
        EncoderError: it would not.
    """
    existing = next(path for path in (cache, *cache.parents) if path.exists())
    free = max(0, shutil.disk_usage(existing).free - DISK_RESERVE)
    if free < needed:
        raise EncoderError(
            f"{name!r} takes {needed / 1e6:,.0f} MB and the disk has room for {free / 1e6:,.0f} MB: "
            f"{DISK_RESERVE / 1e6:,.0f} MB stay free. Free some space, or choose a smaller encoder."
        )
