"""The layer groups of a whole model: those of the encoder from the bottom up, then a head for each task."""

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
    """A layer group of a whole model: of the encoder, or the head of `task`."""

    key: str
    title: str
    parameters: "tuple[nn.Parameter, ...]"
    modules: "tuple[nn.Module, ...]"
    task: str | None = None

    @property
    def size(self) -> int:
        """The number of parameters."""
        return sum(parameter.numel() for parameter in self.parameters)

    @property
    def is_head(self) -> bool:
        return self.task is not None


def is_head(key: str) -> bool:
    """Tell whether a group's key is that of a head."""
    return key.startswith(HEAD)


def top_down(keys: Sequence[str]) -> list[str]:
    """Return the keys of the encoder's groups, the one next to the heads first."""
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
