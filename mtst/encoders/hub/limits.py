"""What is too large to be fetched: for the host, for the disk, or for the weights that there are."""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mtst.encoders.hub.model_size import estimate_size
from mtst.errors import EncoderError

RESERVE = 1_000_000_000  # bytes of the disk that stay free, for the runs
HARMLESS = 100_000_000  # bytes of a network, whatever weights there are
FAR = 5  # times the weights: some are in 16 bits, or are those of an encoder without its decoder


def check_size(name: str, megabytes: float, most: float) -> None:
    """Make sure that an encoder is not larger than the host allows.

    Raises:
        EncoderError: it is.
    """
    if megabytes > most:
        raise EncoderError(
            f"{name!r} has {megabytes:,.0f} MB; this server takes encoders up to {most:,.0f} MB. Choose a smaller one."
        )


def check_network(name: str, configs: Iterable[Mapping[str, Any]], held: int) -> None:
    """Make sure that a network is about as large as its weights: what they lack would be made up, in memory.

    Args:
        name: what it is called.
        configs: those of its modules.
        held: how many bytes of weights it has.

    Raises:
        EncoderError: it is far larger.
        Exception: of the libraries, if a configuration describes no network.
    """
    described = sum(map(estimate_size, configs))
    if described > max(FAR * held, HARMLESS):
        raise EncoderError(
            f"{name!r} describes a network of {described / 1e6:,.0f} MB and has weights of {held / 1e6:,.0f} MB. "
            "Choose another encoder."
        )


def check_room(name: str, needed: int, cache: Path) -> None:
    """Make sure that so many bytes fit on the disk, and leave room for the runs.

    Raises:
        EncoderError: they do not.
    """
    place = next(path for path in (cache, *cache.parents) if path.exists())
    free = max(0, shutil.disk_usage(place).free - RESERVE)
    if free < needed:
        raise EncoderError(
            f"{name!r} takes {needed / 1e6:,.0f} MB and the disk has room for {free / 1e6:,.0f} MB: "
            f"{RESERVE / 1e6:,.0f} MB stay free. Free some space, or choose a smaller encoder."
        )
