"""AdamW over layer groups that open one after another, each with a learning rate that changes over time."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor, nn

from mtst.model.layer_groups import EMBEDDINGS, Group
from mtst.training.config import ResolvedConfig
from mtst.training.events import GroupPlan


@dataclass(frozen=True)
class Schedule:
    """How learning rates change over the optimizer steps of a run.

    Attributes:
        steps: those of the whole run.
        warmup_ratio: share of all steps in which a rate rises after its group has opened.
        decay: how all rates fall then, a key of `mtst.training.config.DECAYS`.
        last_opening: the step, from 0, at which the last group opens.
    """

    steps: int
    warmup_ratio: float
    decay: str
    last_opening: int = 0

    def factor(self, step: int, opened: int) -> float:
        """Return the rate at a step as a share of its peak, for a group that opened at step `opened`.

        When the group that opens last has risen too, all rates fall together: so every group has the rates that it
        would have if it had been open all along.
        """
        warmup = round(self.warmup_ratio * self.steps)
        risen = min(1.0, (step - opened + 1) / (warmup + 1))
        decay_start = self.last_opening + warmup
        done = min(1.0, max(0, step - decay_start) / max(1, self.steps - decay_start))
        left = {"cosine": 0.5 * (1 + math.cos(math.pi * done)), "linear": 1 - done, "constant": 1.0}[self.decay]
        return max(0.0, risen) * left


@dataclass(frozen=True, eq=False)
class ParameterGroup:
    """Parameters that share a learning rate.

    Attributes:
        parameters: the parameters.
        peak_rate: their highest learning rate.
        weight_decay: share of the learning rate by which they shrink.
        opened: the step, from 0, at which they begin to train.
        input_norm: the length of what they are multiplied with. They train as they would if it were 1 and they that
            much larger: their gradient is longer by it, and they have to move and shrink less.
    """

    parameters: Sequence[nn.Parameter]
    peak_rate: float
    weight_decay: float
    opened: int
    input_norm: float = 1.0


class Optimizer:
    """AdamW with a schedule. A frozen parameter has no gradient, so it is skipped."""

    def __init__(self, groups: Sequence[ParameterGroup], schedule: Schedule) -> None:
        self._groups, self._schedule = groups, schedule
        self._step = 0
        self.parameters = [parameter for group in groups for parameter in group.parameters]
        self._adamw = torch.optim.AdamW(
            [
                {
                    "params": list(group.parameters),
                    "lr": group.peak_rate,
                    "weight_decay": group.weight_decay * group.input_norm,
                }
                for group in groups
            ],
            fused=True,
        )

    @property
    def rates(self) -> list[float]:
        """The learning rate of each parameter group at the next step, for inputs of length 1."""
        return [group.peak_rate * self._schedule.factor(self._step, group.opened) for group in self._groups]

    def clip_gradients(self, max_norm: float) -> None:
        """Scale all gradients together to a norm of at most `max_norm`; most are shorter, and are only measured."""
        learning = [
            (part, each.input_norm) for each in self._groups for part in each.parameters if part.grad is not None
        ]
        gradients = [part.grad if norm == 1 else part.grad / norm for part, norm in learning if part.grad is not None]
        norm = nn.utils.get_total_norm(gradients)
        if norm > max_norm:
            nn.utils.clip_grads_with_norm_([part for part, _ in learning], max_norm, norm)

    def zero_grad(self) -> None:
        """Drop all gradients."""
        self._adamw.zero_grad()

    def step(self, rate_factor: float = 1.0) -> None:
        """Move every parameter that has a gradient, all learning rates multiplied by a factor."""
        for state, group, rate in zip(self._adamw.param_groups, self._groups, self.rates, strict=True):
            state["lr"] = rate_factor * rate / group.input_norm  # a step of Adam is as long as its rate
        self._adamw.step()
        self._step += 1

    def state_tensors(self) -> dict[str, Tensor]:
        """Return the state of AdamW, by the number of the parameter and the name of the value."""
        return {
            f"{n}.{name}": value
            for n, parameter in enumerate(self.parameters)
            for name, value in self._adamw.state.get(parameter, {}).items()
        }

    def load_state_tensors(self, tensors: Mapping[str, Tensor], step: int) -> None:
        """Restore what `state_tensors` returned after so many steps."""
        self._step = step
        for key, value in tensors.items():
            number, _, name = key.partition(".")
            parameter = self.parameters[int(number)]
            self._adamw.state[parameter][name] = value.to(parameter.device)


def create_optimizer(
    groups: Sequence[Group],
    plan: Sequence[GroupPlan],
    config: ResolvedConfig,
    steps_per_epoch: int,
    *,
    embedding_norm: float = 1.0,
    loss_parameters: Sequence[nn.Parameter] = (),
    replaced: Mapping[Tensor, nn.Parameter] = MappingProxyType({}),
) -> Optimizer:
    """Return the optimizer of a run.

    Args:
        groups: the layer groups that ever open.
        plan: when each group opens, and its peak rate.
        config: how to train.
        steps_per_epoch: optimizer steps of one pass over the training rows.
        embedding_norm: the length of the embeddings that heads read.
        loss_parameters: those of the loss itself, which learn at the rate of the heads if they want a gradient.
        replaced: parameters that are trained in place of parameters of the model.
    """
    planned = {group.key: group for group in plan}
    parameter_groups: list[ParameterGroup] = []
    for group in groups:
        opened = (config.opening[group.key] - 1) * steps_per_epoch
        parameters = [replaced.get(parameter, parameter) for parameter in group.trained]
        shrinking = [parameter.ndim > 1 and group.key != EMBEDDINGS for parameter in parameters]
        norm = embedding_norm if group.is_head else 1.0
        for decay, shrinks, input_norm in ((config.weight_decay, True, norm), (0.0, False, 1.0)):
            if members := [part for part, flag in zip(parameters, shrinking, strict=True) if flag == shrinks]:
                parameter_groups.append(ParameterGroup(members, planned[group.key].rate, decay, opened, input_norm))
    if learned := [parameter for parameter in loss_parameters if parameter.requires_grad]:
        parameter_groups.append(ParameterGroup(learned, config.head_rate, 0.0, 0))
    schedule = Schedule(
        steps=config.epochs * steps_per_epoch,
        warmup_ratio=config.warm_up,
        decay=config.decay,
        last_opening=max((group.opened for group in parameter_groups), default=0),
    )
    return Optimizer(parameter_groups, schedule)
