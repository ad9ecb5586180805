"""Low-rank adapters on linear layers (Hu and others 2021, "LoRA: Low-rank adaptation of large language models").

A linear layer with weights W (out, in) computes W x + s B A x instead. Only A (r, in) and B (out, r) train. B begins at
zero, so the model is at first what it was; `merge` adds s B A to W, and the model is of its old kind again.
"""

from collections.abc import Sequence
from typing import Any

from torch import nn

RANK = 8  # r
SCALE = 2.0  # s
NAME = "default"  # an adapter's name in `peft`


def linear_layers(module: nn.Module) -> list[nn.Linear]:
    """Return the linear layers in a module; subclasses of `nn.Linear` may be read without being called."""
    return [part for part in module.modules() if type(part) is nn.Linear]


def adapter_size(layer: nn.Linear) -> int:
    """Return the number of parameters of the adapter of a layer."""
    return RANK * (layer.in_features + layer.out_features)


class Adapters:
    """Adapters on some linear layers of a backbone, as long as they are not merged.

    Args:
        backbone: the module that holds the layers.
        layers: the layers.
    """

    def __init__(self, backbone: nn.Module, layers: Sequence[nn.Linear]) -> None:
        from peft import LoraConfig, inject_adapter_in_model

        chosen = set(layers)
        self._backbone = backbone
        names = [name for name, module in backbone.named_modules() if module in chosen]
        required = {parameter: parameter.requires_grad for parameter in backbone.parameters()}
        config = LoraConfig(r=RANK, lora_alpha=round(SCALE * RANK), target_modules=names)
        inject_adapter_in_model(config, backbone, adapter_name=NAME)
        del backbone.peft_config  # else other libraries take the model for one that is saved as adapters
        self._wrappers: dict[str, Any] = {name: backbone.get_submodule(name) for name in names}
        for parameter, value in required.items():  # `peft` freezes all but the adapters
            parameter.requires_grad_(value)

    def of(self, layers: Sequence[nn.Linear]) -> tuple[nn.Parameter, ...]:
        """Return A and B of each of some layers."""
        added = {wrapper.base_layer: (wrapper.lora_A, wrapper.lora_B) for wrapper in self._wrappers.values()}
        return tuple(matrices[NAME].weight for layer in layers for matrices in added[layer])

    def merge(self) -> None:
        """Add the adapters to the weights of their layers, and remove them; a layer whose B is zero stays as it is."""
        for name, wrapper in self._wrappers.items():
            if wrapper.lora_B[NAME].weight.any():
                wrapper.merge()
            self._backbone.set_submodule(name, wrapper.get_base_layer())
