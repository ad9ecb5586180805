"""Freezing layer groups, and the proof of it: how far each group moved, exactly zero where it was frozen."""

import hashlib
from collections.abc import Collection, Iterable, Sequence

import torch
from torch import Tensor

from mtst.model.layer_groups import Group
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training.events import GroupPlan, GroupProof


class FreezingProof:
    """Remembers the weights before training: the SHA-256 of every group, and the values of those that will open.

    Where only a part of a group trains, the SHA-256 of its other parameters is remembered too.

    Args:
        groups: all groups of the model, bottom up, with the parts that train.
        open_keys: keys of the groups that ever open.
    """

    def __init__(self, groups: Sequence[Group], open_keys: Collection[str]) -> None:
        self._groups = groups
        self._digests = {group.key: _digest(group.parameters) for group in groups}
        self._values = {
            group.key: [parameter.detach().clone() for parameter in group.parameters]
            for group in groups
            if group.key in open_keys
        }
        self._rests = {group.key: _digest(group.fixed) for group in groups if group.part is not None}
        self._rest_same: dict[str, bool] = {}

    def check_rests(self) -> None:
        """Compare what was not to train in open groups; call this before adapters are merged."""
        for group in self._groups:
            if group.key in self._rests and group.key not in self._rest_same:
                self._rest_same[group.key] = _digest(group.fixed) == self._rests[group.key]

    def moved(self, keys: Collection[str]) -> dict[str, float]:
        """Return how far the weights of some groups that open have moved so far, as `GroupProof.change` says it."""
        return {group.key: float(f"{self._change(group):.4g}") for group in self._groups if group.key in keys}

    def table(self, plan: Sequence[GroupPlan], epochs: int) -> tuple[GroupProof, ...]:
        """Return what became of each group of a plan after `epochs` epochs, adapters being merged."""
        self.check_rests()
        rows = []
        for group, planned in zip(self._groups, plan, strict=True):
            same = _digest(group.parameters) == self._digests[group.key]
            opened = (planned.opens_at, epochs) if planned.opens_at and planned.opens_at <= epochs else None
            change = 0.0 if same else self._change(group)
            rows.append(
                GroupProof(
                    key=group.key,
                    title=group.title,
                    parameters=group.size,
                    open_epochs=opened,
                    rate=planned.rate,
                    change=change,
                    same=same,
                    part=planned.part,
                    rest_same=self._rest_same.get(group.key),
                )
            )
        return tuple(rows)

    def _change(self, group: Group) -> float:
        """Return |after - before| / |before|; infinity for a frozen group that has moved all the same."""
        if group.key not in self._values:
            return float("inf")
        before = self._values[group.key]
        moved = _norm([now.detach() - old for now, old in zip(group.parameters, before, strict=True)])
        return moved / max(_norm(before), 1e-12)


def _digest(parameters: Iterable[Tensor]) -> str:
    digest = hashlib.sha256()
    for parameter in parameters:
        digest.update(parameter.detach().cpu().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _norm(tensors: Iterable[Tensor]) -> float:
    return float(torch.stack([tensor.double().square().sum() for tensor in tensors]).sum().sqrt())


def freeze(
    model: MultiTaskSentenceTransformer, groups: Sequence[Group], open_keys: Collection[str]
) -> tuple[Group, ...]:
    """Freeze every group of a model but the open ones, and return these. Of an open group, its `trained` train.

    A frozen group gets no gradient and runs in evaluation mode: with dropout, a layer of constant weights would still
    not be the same function twice.
    """
    model.requires_grad_(requires_grad=False)
    model.eval()
    opened = tuple(group for group in groups if group.key in open_keys)
    for group in opened:
        for parameter in group.trained:
            parameter.requires_grad_()
        for module in group.modules:
            module.train()
    return opened
