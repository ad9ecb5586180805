"""Layer groups, read from what an encoder computes rather than from the names of one architecture.

A group is what one freezes or opens at once: the embeddings, each transformer block, and the dense layers after them.
The blocks are the longest list of equal modules in the tree. Every other parameter is placed by what it influences on
autograd's graph: the input of the blocks (embeddings), only the sentence embedding (dense), or nothing at all, as
BERT's pooler under mean pooling, which is then no part of any group.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

WHOLE = "encoder"


@dataclass(frozen=True)
class LayerGroup:
    """One group: its key, its title for people, and the names of its parameters in the encoder."""

    key: str
    title: str
    parameters: tuple[str, ...]


def find_blocks(tree: nn.Module) -> tuple[str, nn.ModuleList] | None:
    """Return the largest list of two or more modules of one class, with its name, if there is one."""
    lists = [
        (name, module)
        for name, module in tree.named_modules()
        if isinstance(module, nn.ModuleList)
        and len(module) > 1
        and len({type(child) for child in module}) == 1
        and any(True for _ in module.parameters())
    ]
    return max(lists, key=lambda item: sum(p.numel() for p in item[1].parameters()), default=None)


def layer_groups(tree: nn.Module, probe: Callable[[], Tensor]) -> tuple[LayerGroup, ...]:
    """Return the groups from the bottom to the top; one group, `encoder`, for a tree that cannot be read.

    Args:
        tree: the encoder's module.
        probe: runs the tree on a short text; returns its sentence embedding (1, d) on the graph.
    """
    named = dict(tree.named_parameters())
    found = find_blocks(tree)
    if found is None:
        return (LayerGroup(WHOLE, "Encoder", tuple(named)),)
    path, blocks = found
    seen: list[Tensor] = []
    hook = blocks[0].register_forward_hook(lambda _module, _inputs, output: seen.append(first_tensor(output)))
    wanted = {name: parameter.requires_grad for name, parameter in named.items()}
    try:
        tree.requires_grad_(True)
        with torch.enable_grad():
            embedding = probe()
            inside = {name for name in named if name.startswith(f"{path}.")}
            outside = [name for name in named if name not in inside]
            below = _influences(seen[-1], named, outside)  # of the pass that gave the embedding, if there were several
            used = _influences(embedding, named, outside)
    finally:
        hook.remove()
        for name, parameter in named.items():
            parameter.requires_grad_(wanted[name])
    groups = [LayerGroup("embeddings", "Embeddings", tuple(name for name in outside if name in below))]
    for index in range(len(blocks)):
        members = tuple(name for name in named if name.startswith(f"{path}.{index}."))
        groups.append(LayerGroup(f"block-{index}", f"Block {index}", members))
    groups.append(LayerGroup("dense", "Dense", tuple(name for name in outside if name in used - below)))
    return tuple(group for group in groups if group.parameters)


def first_tensor(output: object) -> Tensor:
    """Return the tensor that a module puts out, or the first of several."""
    return output if isinstance(output, Tensor) else next(part for part in output if isinstance(part, Tensor))


def _influences(result: Tensor, named: dict[str, nn.Parameter], names: list[str]) -> set[str]:
    """Return the names of the parameters that the graph of a result leads to; no gradient is computed."""
    seen, ahead = set(), [result.grad_fn]
    while ahead:
        node = ahead.pop()
        if node is not None and node not in seen:
            seen.add(node)
            ahead.extend(before for before, _ in node.next_functions)
    leaves = {id(node.variable) for node in seen if hasattr(node, "variable")}
    return {name for name in names if id(named[name]) in leaves}


@contextmanager
def evaluation_mode(tree: nn.Module) -> Iterator[None]:
    """Run a tree in evaluation mode and without gradients, and put every module back into its mode afterwards."""
    modes = {module: module.training for module in tree.modules()}
    tree.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        for module, training in modes.items():
            module.training = training


def modules_of(tree: nn.Module, parameters: Iterable[str]) -> list[nn.Module]:
    """Return the largest modules whose parameters all belong to these, so that their dropout belongs to them too."""
    members = set(parameters)

    def walk(module: nn.Module, prefix: str) -> list[nn.Module]:
        names = {prefix + name for name, _ in module.named_parameters()}
        if names and names <= members:
            return [module]
        if not names & members:
            return []
        return [found for name, child in module.named_children() for found in walk(child, f"{prefix}{name}.")]

    return walk(tree, "")
