"""Freezing layer groups, and the proof of it: how far each group moved, exactly zero where it was frozen."""

import hashlib
from collections.abc import Collection, Iterable, Sequence

import torch
from torch import Tensor

from mtst.model.layer_groups import Group, model_groups
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training.events import GroupPlan, GroupProof


class FreezingProof:
    """Remembers the weights before training: the SHA-256 of every group, and the values of those that will open.

    Args:
        groups: all groups of the model, bottom up.
        open_keys: keys of the groups that ever open.
    """

    def __init__(self, groups: Sequence[Group], open_keys: Collection[str]) -> None:
        self._groups = groups
        self._digests = {group.key: _digest(group) for group in groups}
        self._values = {
            group.key: [parameter.detach().clone() for parameter in group.parameters]
            for group in groups
            if group.key in open_keys
        }

    def table(self, plan: Sequence[GroupPlan], epochs: int) -> tuple[GroupProof, ...]:
        """Return what became of each group of a plan after `epochs` epochs."""
        rows = []
        for group, planned in zip(self._groups, plan, strict=True):
            same = _digest(group) == self._digests[group.key]
            opened = (planned.opens_at, epochs) if planned.opens_at and planned.opens_at <= epochs else None
            change = 0.0 if same else self._change(group)
            rows.append(GroupProof(group.key, group.title, group.size, opened, planned.rate, change, same))
        return tuple(rows)

    def _change(self, group: Group) -> float:
        """Return |after - before| / |before|; infinity for a frozen group that has moved all the same."""
        if group.key not in self._values:
            return float("inf")
        before = self._values[group.key]
        moved = _norm([now.detach() - old for now, old in zip(group.parameters, before, strict=True)])
        return moved / max(_norm(before), 1e-12)


def _digest(group: Group) -> str:
    digest = hashlib.sha256()
    for parameter in group.parameters:
        digest.update(parameter.detach().cpu().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _norm(tensors: Iterable[Tensor]) -> float:
    return float(torch.stack([tensor.double().square().sum() for tensor in tensors]).sum().sqrt())


def freeze(model: MultiTaskSentenceTransformer, open_keys: Collection[str]) -> tuple[Group, ...]:
    """Freeze every group but the open ones, and return these.

    A frozen group gets no gradient and runs in evaluation mode: with dropout, a layer of constant weights would still
    not be the same function twice.
    """
    model.requires_grad_(requires_grad=False)
    model.eval()
    groups = tuple(group for group in model_groups(model) if group.key in open_keys)
    for group in groups:
        for parameter in group.parameters:
            parameter.requires_grad_()
        for module in group.modules:
            module.train()
    return groups
