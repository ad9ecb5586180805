"""The layer groups of an encoder, found from what it computes rather than from the names of one architecture.

A group is what is frozen or opened together: the embeddings, each transformer block, and the dense layers after them.
The blocks are the largest list of modules of one class. Every other parameter is assigned by what it influences in
autograd's graph: the input of the blocks (embeddings), only the sentence embedding (dense), or nothing, as BERT's
pooler under mean pooling, which then belongs to no group.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.autograd.graph import Node

WHOLE = "encoder"


@dataclass(frozen=True)
class LayerGroup:
    """A group of parameters: its key, its title for display, and the names of its parameters in the backbone."""

    key: str
    title: str
    parameters: tuple[str, ...]


def find_blocks(root: nn.Module) -> tuple[str, nn.ModuleList] | None:
    """Return the name and the largest list of two or more modules of one class, if there is one."""
    lists = [
        (name, module)
        for name, module in root.named_modules()
        if isinstance(module, nn.ModuleList)
        and len(module) > 1
        and len({type(child) for child in module}) == 1
        and any(True for _ in module.parameters())
    ]
    return max(lists, key=lambda item: sum(p.numel() for p in item[1].parameters()), default=None)


def layer_groups(root: nn.Module, probe: Callable[[], Tensor]) -> tuple[LayerGroup, ...]:
    """Return the groups from the bottom to the top; a single group, `encoder`, for a module without blocks.

    Args:
        root: the encoder's backbone.
        probe: runs it on a short text and returns its sentence embedding (1, d) with its graph.
    """
    named = dict(root.named_parameters())
    listed = find_blocks(root)
    if listed is None:
        return (LayerGroup(WHOLE, "Encoder", tuple(named)),)
    path, blocks = listed
    outputs: list[Tensor] = []  # of the first block
    hook = blocks[0].register_forward_hook(lambda _module, _inputs, output: outputs.append(first_tensor(output)))
    required = {name: parameter.requires_grad for name, parameter in named.items()}
    try:
        root.requires_grad_(requires_grad=True)
        with torch.enable_grad():
            embedding = probe()
            inside = {name for name in named if name.startswith(f"{path}.")}
            outside = [name for name in named if name not in inside]
            below = _influences(outputs[-1], named, outside)  # of the last pass, if there were several
            used = _influences(embedding, named, outside)
    finally:
        hook.remove()
        for name, parameter in named.items():
            parameter.requires_grad_(required[name])
    groups = [LayerGroup("embeddings", "Embeddings", tuple(name for name in outside if name in below))]
    for index in range(len(blocks)):
        members = tuple(name for name in named if name.startswith(f"{path}.{index}."))
        groups.append(LayerGroup(f"block-{index}", f"Block {index}", members))
    groups.append(LayerGroup("dense", "Dense", tuple(name for name in outside if name in used - below)))
    return tuple(group for group in groups if group.parameters)


def first_tensor(output: Tensor | Iterable[object]) -> Tensor:
    """Return the output of a module, or the first of several."""
    return output if isinstance(output, Tensor) else next(part for part in output if isinstance(part, Tensor))


def _influences(result: Tensor, named: dict[str, nn.Parameter], names: list[str]) -> set[str]:
    """Return the names of the parameters in the graph of a result; no gradient is computed."""
    visited: set[Node] = set()
    pending: list[Node | None] = [result.grad_fn]
    while pending:
        node = pending.pop()
        if node is not None and node not in visited:
            visited.add(node)
            pending.extend(before for before, _ in node.next_functions)
    leaves = {id(node.variable) for node in visited if hasattr(node, "variable")}
    return {name for name in names if id(named[name]) in leaves}


@contextmanager
def evaluation_mode(root: nn.Module) -> Iterator[None]:
    """Run a module in evaluation mode without gradients; restore the mode of every submodule afterwards."""
    modes = {module: module.training for module in root.modules()}
    root.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        for module, training in modes.items():
            module.training = training


def modules_of(root: nn.Module, parameters: Iterable[str]) -> list[nn.Module]:
    """Return the largest submodules that have only these parameters; dropout inside them belongs to the group too."""
    members = set(parameters)

    def walk(module: nn.Module, prefix: str) -> list[nn.Module]:
        names = {prefix + name for name, _ in module.named_parameters()}
        if names and names <= members:
            return [module]
        if not names & members:
            return []
        return [part for name, child in module.named_children() for part in walk(child, f"{prefix}{name}.")]

    return walk(root, "")
