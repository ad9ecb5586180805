"""What trains of an open layer group of the encoder: all of it, its biases, or adapters that are added to it.

Heads always train whole.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from mtst.model.layer_groups import Group, model_groups

if TYPE_CHECKING:
    from torch import nn

    from mtst.encoders.encoder import Encoder
    from mtst.model.multitask import MultiTaskSentenceTransformer

Trains = Literal["all", "biases", "adapters"]
Groups = tuple[Group, ...]


@dataclass(frozen=True)
class TrainedPart:
    """A choice of what trains.

    Attributes:
        size: returns how many parameters of a group train; None if these are all of its own.
        chosen: while its context lasts, some groups of an encoder with their `part` set.
        missing: what an encoder lacks in which nothing would train.
    """

    size: "Callable[[Group], int | None]"
    chosen: "Callable[[Encoder, Groups], AbstractContextManager[Groups]]"
    missing: str = ""


def _biases(group: Group) -> "tuple[nn.Parameter, ...]":
    named = [item for module in group.modules for item in module.named_parameters()]
    return tuple(parameter for name, parameter in named if name.endswith("bias") and parameter.ndim == 1)


def _linear_layers(group: Group) -> "list[nn.Linear]":
    from mtst.encoders.adapters import linear_layers

    return [layer for module in group.modules for layer in linear_layers(module)]


def _adapter_size(group: Group) -> int:
    from mtst.encoders.adapters import adapter_size

    return sum(map(adapter_size, _linear_layers(group)))


@contextmanager
def _adapted(encoder: "Encoder", groups: Groups) -> Iterator[Groups]:
    """Add adapters to the linear layers of groups; at the end they are merged into the weights."""
    from mtst.encoders.adapters import Adapters

    layers = {group.key: _linear_layers(group) for group in groups}
    adapters = Adapters(encoder.backbone, [layer for linear in layers.values() for layer in linear])
    try:
        yield tuple(replace(group, part=adapters.of(layers[group.key])) for group in groups)
    finally:
        adapters.merge()
        encoder.invalidate_cache()


PARTS: Mapping[Trains, TrainedPart] = MappingProxyType(
    {
        "all": TrainedPart(lambda _group: None, lambda _encoder, groups: nullcontext(groups)),
        "biases": TrainedPart(
            lambda group: sum(bias.numel() for bias in _biases(group)),
            lambda _encoder, groups: nullcontext(tuple(replace(group, part=_biases(group)) for group in groups)),
            "biases",
        ),
        "adapters": TrainedPart(_adapter_size, _adapted, "linear layers that can take adapters"),
    }
)


def part_size(group: Group, trains: Trains) -> int | None:
    """Return how many parameters of a group train while it is open; None if these are all of its own."""
    return None if group.is_head else PARTS[trains].size(group)


@contextmanager
def trained_groups(
    model: "MultiTaskSentenceTransformer", open_keys: Collection[str], trains: Trains
) -> Iterator[Sequence[Group]]:
    """Yield all layer groups of a model, bottom up, those of the encoder that ever open with the part that trains.

    The parameters are the same objects during the context and after it.
    """
    groups = model_groups(model)
    partial = tuple(group for group in groups if group.key in open_keys and not group.is_head)
    with PARTS[trains].chosen(model.encoder, partial) as chosen:
        by_key = {group.key: group for group in chosen}
        yield tuple(by_key.get(group.key, group) for group in groups)
