"""The layer groups of an encoder, found from what it computes rather than from the names of one architecture.

A group is what is frozen or opened together: the embeddings, each transformer block, and the dense layers after them.
The blocks are the largest list of modules of one class that a pass calls one by one. Every other parameter is assigned
by what it influences in autograd's graph: the input of the blocks (embeddings), only the sentence embedding (dense), or
nothing, as BERT's pooler under mean pooling, which then belongs to no group.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

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
    """Return the name and the largest list of two or more modules of one class, if there is one.

    Where several lists of one length stand side by side, as in XLM, a layer has a part in each, and none is a block.
    """
    lists = [
        (name, module)
        for name, module in root.named_modules()
        if isinstance(module, nn.ModuleList)
        and len(module) > 1
        and len({type(child) for child in module}) == 1
        and any(True for _ in module.parameters())
    ]
    beside = Counter((name.rpartition(".")[0], len(module)) for name, module in lists)
    largest = max(lists, key=lambda item: sum(p.numel() for p in item[1].parameters()), default=None)
    return largest if largest and beside[largest[0].rpartition(".")[0], len(largest[1])] == 1 else None


def layer_groups(root: nn.Module, probe: Callable[[], Tensor]) -> tuple[LayerGroup, ...]:
    """Return the groups from the bottom to the top.

    A block that is run several times, as in ALBERT, is one group. A module without blocks is a single group, `encoder`;
    one that only averages the embeddings of tokens has these as a group.

    Args:
        root: the encoder's backbone.
        probe: runs it on a short text and returns its sentence embedding (1, d) with its graph.
    """
    named = dict(root.named_parameters())
    outputs, embedding = _trace(root, probe)
    blocks = _called_blocks(root, outputs)
    if blocks:
        inside = {name: path for name in named for path in blocks if name.startswith(f"{path}.")}
        outside = [name for name in named if name not in inside]
        first = outputs[next(iter(blocks))]
        below = _influences(first[0] if len(blocks) == 1 else first[-1], named, outside)  # the last of several passes
        members = [tuple(name for name, path in inside.items() if path == block) for block in blocks]
        middle = [
            LayerGroup(f"block-{n}", title, names)
            for n, (title, names) in enumerate(zip(blocks.values(), members, strict=True))
        ]
    else:
        tables = [path for path, module in root.named_modules() if isinstance(module, nn.EmbeddingBag)]
        below = {name for name in named if name.rpartition(".")[0] in tables}
        outside, middle = list(named), []
    used = _influences(embedding, named, outside)
    if not blocks and not below:
        return (LayerGroup(WHOLE, "Encoder", tuple(name for name in outside if name in used)),)
    above = tuple(name for name in outside if name in used - below)
    groups = [
        LayerGroup("embeddings", "Embeddings", tuple(name for name in outside if name in below)),
        *middle,
        LayerGroup("dense", _title_above(root, above), above),
    ]
    return tuple(group for group in groups if group.parameters)


def _trace(root: nn.Module, probe: Callable[[], Tensor]) -> tuple[dict[str, list[Tensor]], Tensor]:
    """Return the outputs of every submodule that is called, by its path, and what the probe returns, with the graph."""
    outputs: dict[str, list[Tensor]] = {}
    required = {parameter: parameter.requires_grad for parameter in root.parameters()}

    def record(path: str) -> Callable[[nn.Module, object, Any], None]:
        def hook(_module: nn.Module, _inputs: object, output: Any) -> None:
            outputs.setdefault(path, []).extend(_tensors(output)[:1])

        return hook

    hooks = [module.register_forward_hook(record(path)) for path, module in root.named_modules() if path]
    try:
        root.requires_grad_(requires_grad=True)
        with torch.enable_grad():
            return outputs, probe()
    finally:
        for hook in hooks:
            hook.remove()
        for parameter, value in required.items():
            parameter.requires_grad_(value)


def _called_blocks(root: nn.Module, outputs: Mapping[str, Sequence[Tensor]]) -> dict[str, str]:
    """Return the paths of the blocks that a pass has called, bottom up, with their titles."""
    if listed := find_blocks(root):
        path, blocks = listed
        paths = [f"{path}.{index}" for index in range(len(blocks))]
        return {each: f"Block {n}" for n, each in enumerate(paths)} if all(map(outputs.get, paths)) else {}
    modules = dict(root.named_modules())
    repeated = [
        path for path, results in outputs.items() if len(results) > 1 and any(True for _ in modules[path].parameters())
    ]
    if not repeated:
        return {}
    largest = max(repeated, key=lambda path: sum(parameter.numel() for parameter in modules[path].parameters()))
    return {largest: f"Block 0 (shared by {len(outputs[largest])} layers)"}


def _title_above(root: nn.Module, names: Sequence[str]) -> str:
    """Return the title of the layers above the blocks: many networks have nothing but a norm there."""
    owners = [type(root.get_submodule(name.rpartition(".")[0])).__name__ for name in names]
    return "Final norm" if all("norm" in owner.lower() for owner in owners) else "Dense"


def _tensors(output: Any) -> list[Tensor]:
    """Return the tensors in the output of a module."""
    if isinstance(output, Tensor):
        return [output]
    parts = output.values() if isinstance(output, Mapping) else output if isinstance(output, list | tuple) else ()
    return [part for part in parts if isinstance(part, Tensor)]


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
