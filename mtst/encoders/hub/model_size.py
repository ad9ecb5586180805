"""The size of the network that a configuration describes, known before it is created: PyTorch's device `meta`."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mtst.errors import EncoderError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

MAX_LAYERS = 1_000  # each takes a moment even without parameters
IGNORED_KEYS = {"_attn_implementation", "attn_implementation", "auto_map", "quantization_config"}  # how it is run


def build_outline(config: Mapping[str, Any]) -> "PreTrainedModel":
    """Return the network of a `config.json` on the device `meta`, where it takes no memory.

    Raises:
        EncoderError: it would take long to create.
        Exception: of the libraries, if the configuration describes no network that they know.
    """
    import torch
    from transformers import AutoConfig, AutoModel

    for key, value in _entries(config):
        if "layer" in key and isinstance(value, int) and value > MAX_LAYERS:
            raise EncoderError(f"Its config.json says that {key[:40]} is {value}; {MAX_LAYERS:,} are the most.")
    if config.get("sinusoidal_pos_embds"):  # this table is computed number by number, in Python
        raise EncoderError("Its config.json asks for sinusoidal positions, which are not taken here.")
    with torch.device("meta"):
        described = {key: value for key, value in config.items() if key not in IGNORED_KEYS}
        network: PreTrainedModel = AutoModel.from_config(AutoConfig.for_model(**described))
        return network


def _entries(config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the entries of a configuration and of the configurations inside it."""
    for key, value in config.items():
        yield str(key), value
        if isinstance(value, dict):
            yield from _entries(value)


def estimate_size(config: Mapping[str, Any]) -> int:
    """Return the bytes of the module of a `config.json` in 32 bits; 0 if it has no parameters or is unknown.

    Raises:
        EncoderError, Exception: as for `build_outline`.
    """
    from transformers import CONFIG_MAPPING

    if config.get("model_type") in CONFIG_MAPPING:
        return 4 * sum(parameter.numel() for parameter in build_outline(config).parameters())
    inputs, outputs = config.get("in_features"), config.get("out_features")  # of a dense layer
    if isinstance(inputs, int) and isinstance(outputs, int) and inputs > 0 and outputs > 0:
        return 4 * inputs * outputs
    return 0
