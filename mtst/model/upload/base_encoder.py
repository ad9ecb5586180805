"""The encoder that an uploaded model is built on: this machine's own copy of the one that the model names.

A ZIP chooses a name and nothing else. Names that could be a path are refused, except the one that the host has chosen.
"""

import math
import re
from dataclasses import dataclass
from pathlib import Path

from mtst.encoders.catalogue import CATALOGUE, DEFAULT, catalogue_key
from mtst.encoders.loading import fetch_encoder, find_encoder
from mtst.errors import EncoderError, ModelError
from mtst.text import truncate

HUB_NAME = re.compile(r"([\w-][\w.-]{0,95}/)?[\w-][\w.-]{0,95}", re.ASCII)  # a few old models have no owner
ELSEWHERE = "Unpack the ZIP on your own machine and give its folder to python -m mtst"


@dataclass(frozen=True)
class BaseEncoderPolicy:
    """Which encoders an uploaded model may be built on.

    Attributes:
        host_encoder: the name or folder of the encoder that the host has chosen.
        any_hub_encoder: whether every encoder of the Hub is allowed, or only those of the catalogue.
        max_megabytes: the most that an encoder outside the catalogue may have to be fetched.
    """

    host_encoder: str = DEFAULT
    any_hub_encoder: bool = True
    max_megabytes: float = 2_000.0

    def check(self, name: str | None) -> str:
        """Return the name to load an encoder by, given the name that an uploaded model states.

        Raises:
            ModelError: the encoder is not allowed; the message names it and says what to do.
        """
        if name is None:
            raise ModelError(f"This model does not name the encoder that it was trained from. {ELSEWHERE}.")
        name = catalogue_key(name) or name
        if name == self.host_encoder or name in CATALOGUE:
            return name
        stated = f"This model was trained from the encoder {truncate(name, 60)!r}"
        if not HUB_NAME.fullmatch(name) or Path(name).exists():  # a ZIP must not choose a folder of this machine
            raise ModelError(f"{stated}, which is neither in the catalogue nor on the Hub. {ELSEWHERE}.")
        if not self.any_hub_encoder:
            raise ModelError(
                f"{stated}; this server takes models trained from the encoders of its list only. {ELSEWHERE}, or train "
                "from one of the list."
            )
        return name

    def fetch(self, name: str) -> None:
        """Fetch an encoder that `check` allowed, unless it is on this machine.

        Raises:
            ModelError: it cannot be fetched, or is too large.
        """
        try:
            if find_encoder(name) is None:
                fetch_encoder(name, max_megabytes=math.inf if name in CATALOGUE else self.max_megabytes)
        except EncoderError as error:
            raise ModelError(
                f"This model was trained from the encoder {name!r}, which is not on this machine. {error}"
            ) from error
