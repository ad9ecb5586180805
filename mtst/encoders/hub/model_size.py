"""The network that a configuration describes, without its numbers: so its size is known before it is made."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mtst.errors import EncoderError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

MAX_LAYERS = 1_000  # each takes a moment even without numbers
NOT_READ = {"_attn_implementation", "attn_implementation", "auto_map", "quantization_config"}  # how it is run


def build_outline(config: Mapping[str, Any]) -> "PreTrainedModel":
    """Return the network of a `config.json` on the device `meta`, where it takes no memory.

    Raises:
        EncoderError: it would take long to make.
        Exception: of the libraries, if it describes no network that they know.
    """
    import torch
    from transformers import AutoConfig, AutoModel

    for name, value in _settings(config):
        if "layer" in name and isinstance(value, int) and value > MAX_LAYERS:
            raise EncoderError(f"Its config.json says that {name[:40]} is {value}; {MAX_LAYERS:,} are the most.")
    if config.get("sinusoidal_pos_embds"):  # their table is worked out number by number, in Python
        raise EncoderError("Its config.json asks for sinusoidal positions, which are not taken here.")
    with torch.device("meta"):
        said = {name: value for name, value in config.items() if name not in NOT_READ}
        return AutoModel.from_config(AutoConfig.for_model(**said))


def _settings(config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what a configuration says, and those within it."""
    for name, value in config.items():
        yield str(name), value
        if isinstance(value, dict):
            yield from _settings(value)


def estimate_size(config: Mapping[str, Any]) -> int:
    """Return how many bytes the module of a `config.json` takes in 32 bits; 0 if it has no numbers, or is unknown.

    Raises:
        EncoderError, Exception: as `outline` says.
    """
    from transformers import CONFIG_MAPPING

    if config.get("model_type") in CONFIG_MAPPING:
        return 4 * sum(each.numel() for each in build_outline(config).parameters())
    sides = config.get("in_features"), config.get("out_features")  # of a dense layer
    return 4 * sides[0] * sides[1] if all(isinstance(side, int) and side > 0 for side in sides) else 0
