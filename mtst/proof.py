"""Proof of freezing: how far each layer group moved, exactly zero where it was frozen."""

import hashlib
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from mtst.events import GroupPlan, GroupProof
from mtst.groups import Group


class Proof:
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
