"""The layer groups of a model: those of the encoder from the bottom up, then the head of each task."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from mtst.model.multitask import MultiTaskSentenceTransformer


HEAD = "head:"
BLOCK = "block-"
EMBEDDINGS = "embeddings"


@dataclass(frozen=True)
class Group:
    """Layers that are frozen or trained together: part of the encoder, or a head.

    Attributes:
        key: identifies the group: `embeddings`, `block-3`, `head:topic`.
        title: for people.
        parameters: all parameters of the layers.
        modules: the largest modules that hold these parameters and no others.
        task: the name of the task if the group is a head.
        part: the parameters that train while the group is open, if these are not all of its own; see
            `mtst.model.trained_parts`.
    """

    key: str
    title: str
    parameters: "tuple[nn.Parameter, ...]"
    modules: "tuple[nn.Module, ...]"
    task: str | None = None
    part: "tuple[nn.Parameter, ...] | None" = None

    @property
    def trained(self) -> "tuple[nn.Parameter, ...]":
        """The parameters that train while the group is open."""
        return self.parameters if self.part is None else self.part

    @property
    def fixed(self) -> "tuple[nn.Parameter, ...]":
        """The parameters that keep their values while the group is open."""
        trained = set(self.trained)
        return tuple(parameter for parameter in self.parameters if parameter not in trained)

    @property
    def size(self) -> int:
        """The number of parameters."""
        return sum(parameter.numel() for parameter in self.parameters)

    @property
    def is_head(self) -> bool:
        return self.task is not None


def is_head(key: str) -> bool:
    """Return whether a group with this key is a head."""
    return key.startswith(HEAD)


def top_down(keys: Sequence[str]) -> list[str]:
    """Return the keys of the encoder's groups from the top down."""
    return [key for key in reversed(keys) if not is_head(key)]


def model_groups(model: "MultiTaskSentenceTransformer") -> tuple[Group, ...]:
    """Return the layer groups of a model from the bottom up, the heads last."""
    from mtst.encoders.layers import modules_of

    named = dict(model.encoder.backbone.named_parameters())
    layers = [
        Group(
            group.key,
            group.title,
            tuple(named[name] for name in group.parameters),
            tuple(modules_of(model.encoder.backbone, group.parameters)),
        )
        for group in model.encoder.groups
    ]
    heads = [
        Group(HEAD + task.name, f"{task} head", tuple(head.parameters()), (head,), task.name)
        for task, head in zip(model.tasks, model.heads, strict=True)
    ]
    return (*layers, *heads)
