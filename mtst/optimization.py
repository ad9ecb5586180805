"""The parts of an optimizer step: rates, batches, losses, and the best weights so far."""

import math
import random
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from mtst.config import TrainConfig
from mtst.data import UNLABELLED
from mtst.freezing import Group, Scenario

WARM_UP = 0.1  # share of the steps in which the rate rises, when pre-trained layers are open
WEIGHT_DECAY = 0.03
BATCHES_PER_BUCKET = 16


def rate_of(group: Group, scenario: Scenario, config: TrainConfig) -> float:
    """Return the peak learning rate of a group when it is open."""
    if group.is_head:
        return config.head_rate or scenario.head_rate
    return config.encoder_rate or scenario.encoder_rate


class Optimizer:
    """AdamW with a rate for each group; the rate rises first if pre-trained layers are open, then falls as a cosine."""

    def __init__(self, opened: Sequence[Group], scenario: Scenario, config: TrainConfig, steps: int) -> None:
        groups = [{"params": list(group.parameters), "lr": rate_of(group, scenario, config)} for group in opened]
        self._adamw = torch.optim.AdamW(groups, weight_decay=WEIGHT_DECAY, fused=True)
        rise = 0 if all(group.is_head for group in opened) else max(1, round(WARM_UP * steps))

        def share(step: int) -> float:
            if step < rise:
                return (step + 1) / (rise + 1)
            return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - rise) / max(1, steps - rise))))

        self._schedule = torch.optim.lr_scheduler.LambdaLR(self._adamw, share)

    def step(self, loss: Tensor) -> None:
        """Move the open groups one step down the gradient of a loss."""
        self._adamw.zero_grad()
        loss.backward()
        self._adamw.step()
        self._schedule.step()


def task_losses(
    logits: dict[str, Tensor], targets: dict[str, Tensor], weights: Mapping[str, Tensor] = MappingProxyType({})
) -> dict[str, Tensor]:
    """Return the mean cross-entropy of each task over the rows that have its label; a task without any is absent.

    `weights[task]` (labels,) says how much a row of each label counts in the mean.
    """
    return {
        name: cross_entropy(values, targets[name], weights.get(name), ignore_index=UNLABELLED)
        for name, values in logits.items()
        if (targets[name] != UNLABELLED).any()
    }


def batches(places: Sequence[int], lengths: Sequence[int], size: int, order: random.Random) -> list[list[int]]:
    """Return places in random batches of up to `size`, of similar lengths within a batch, in random order."""
    places = list(places)
    order.shuffle(places)
    bucket = size * BATCHES_PER_BUCKET
    made: list[list[int]] = []
    for first in range(0, len(places), bucket):
        near = sorted(places[first : first + bucket], key=lengths.__getitem__)
        made += [near[k : k + size] for k in range(0, len(near), size)]
    order.shuffle(made)
    return made


class Best:
    """The weights of the open groups at the best epoch so far."""

    def __init__(self, opened: Sequence[Group]) -> None:
        self._parameters = [parameter for group in opened for parameter in group.parameters]
        self._kept: list[Tensor] = []
        self._score = -math.inf
        self.epoch = 0

    def offer(self, epoch: int, score: float) -> None:
        if score > self._score:
            self._score, self.epoch = score, epoch
            self._kept = [parameter.detach().clone() for parameter in self._parameters]

    @torch.no_grad()
    def restore(self) -> None:
        for parameter, kept in zip(self._parameters, self._kept, strict=False):
            parameter.copy_(kept)
