"""Proof of freezing: how far each layer group moved, exactly zero where it was frozen."""

import hashlib
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from mtst.freezing import Group


class Proof:
    """The weights as they were: open groups by value, frozen ones by the SHA-256 of their bytes."""

    def __init__(self, groups: Sequence[Group], opened: Iterable[Group]) -> None:
        keys = {group.key for group in opened}
        self._groups = groups
        self._digests = {group.key: _digest(group) for group in groups if group.key not in keys}
        self._values = {
            group.key: [parameter.detach().clone() for parameter in group.parameters]
            for group in groups
            if group.key in keys
        }

    def changes(self) -> dict[str, float]:
        """Return the relative change of each group, ‖now - then‖ / ‖then‖: 0 exactly if not one bit moved."""
        return {group.key: self._change(group) for group in self._groups}

    def _change(self, group: Group) -> float:
        if group.key in self._digests:
            return 0.0 if _digest(group) == self._digests[group.key] else float("inf")
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
