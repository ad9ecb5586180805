"""Proof of freezing: how far each layer group moved, exactly zero where it was frozen."""

import hashlib
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

import torch
from torch import Tensor

from mtst.model.layer_groups import Group, is_head, model_groups, top_down
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training.config import TrainConfig
from mtst.training.events import GroupPlan, GroupProof


class FreezingProof:
    """The weights as they were: the SHA-256 of every group's bytes, and the values of those that will be open."""

    def __init__(self, groups: Sequence[Group], opened: Iterable[str]) -> None:
        keys = set(opened)
        self._groups = groups
        self._digests = {group.key: _digest(group) for group in groups}
        self._values = {
            group.key: [parameter.detach().clone() for parameter in group.parameters]
            for group in groups
            if group.key in keys
        }

    def table(self, plan: Sequence[GroupPlan], epochs: int) -> tuple[GroupProof, ...]:
        """Return what became of each group of a plan of which `epochs` epochs were run."""
        made = []
        for group, planned in zip(self._groups, plan, strict=True):
            same = _digest(group) == self._digests[group.key]
            opened = (planned.opens_at, epochs) if planned.opens_at and planned.opens_at <= epochs else None
            change = 0.0 if same else self._change(group)
            made.append(GroupProof(group.key, group.title, group.size, opened, planned.rate, change, same))
        return tuple(made)

    def _change(self, group: Group) -> float:
        """Return |now - then| / |then|; infinity for a frozen group that has moved all the same."""
        if group.key not in self._values:
            return float("inf")
        then = self._values[group.key]
        moved = _norm([now.detach() - old for now, old in zip(group.parameters, then, strict=True)])
        return moved / max(_norm(then), 1e-12)


def _digest(group: Group) -> str:
    digest = hashlib.sha256()
    for parameter in group.parameters:
        digest.update(parameter.detach().cpu().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def _norm(tensors: Iterable[Tensor]) -> float:
    return float(torch.stack([tensor.double().square().sum() for tensor in tensors]).sum().sqrt())


def freeze(model: MultiTaskSentenceTransformer, opened: AbstractSet[str]) -> tuple[Group, ...]:
    """Put every group in its state and return the open ones.

    A frozen group takes no gradient and runs in evaluation mode: with dropout on, a layer whose weights stand still
    would still not be the same function twice.
    """
    model.requires_grad_(False)
    model.eval()
    found = tuple(group for group in model_groups(model) if group.key in opened)
    for group in found:
        for parameter in group.parameters:
            parameter.requires_grad_(True)
        for module in group.modules:
            module.train()
    return found


def peak_rates(keys: Sequence[str], config: TrainConfig) -> dict[str, float]:
    """Return the peak learning rate of each group if it opens, by key; the config is a settled one.

    The encoder's rate falls by `layer_decay` from each group to the one below it (discriminative learning rates,
    Howard and Ruder 2018).
    """
    layers = {key: config.encoder_rate * config.layer_decay**depth for depth, key in enumerate(top_down(keys))}
    return {key: config.head_rate if is_head(key) else layers[key] for key in keys}
