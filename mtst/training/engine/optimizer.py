"""The steps of a run: AdamW with a rate for each group that changes over time, and the best weights so far."""

import math
import random
from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn

from mtst.model.layer_groups import EMBEDDINGS, Group
from mtst.training.config import TrainConfig
from mtst.training.distributed import SINGLE_PROCESS, ProcessGroup
from mtst.training.engine.embedding_rows import TrainedRows


def rate_share(step: int, steps: int, opened: int, last: int, config: TrainConfig) -> float:
    """Return the rate at a step as a share of the peak, for a group that opened at step `opened`.

    From then on it rises over `warm_up` of all steps. When the group that opens at step `last`, after all others, has
    risen too, all rates fall together: so every group has the rates that it would have if it had been open all along.
    """
    rise = round(config.warm_up * steps)
    begun = min(1.0, (step - opened + 1) / (rise + 1))
    done = min(1.0, max(0, step - last - rise) / max(1, steps - last - rise))
    left = {"cosine": 0.5 * (1 + math.cos(math.pi * done)), "linear": 1 - done, "constant": 1.0}[config.decay]
    return max(0.0, begun) * left


class Optimizer:
    """AdamW over groups that open one after another; frozen ones have no gradient, so they are passed over.

    Args:
        groups: all groups that ever open.
        rates: the peak rate of each, by key.
        opened: the step, from 0, at which each opens, by key.
        config: the settled config.
        steps: optimizer steps of the whole run.
        process_group: the processes whose gradients are added up.
        extra: parameters of the loss itself, which learn at the heads' rate.
        rows: the part of the token embedding that is trained in its place.
    """

    def __init__(
        self,
        groups: Sequence[Group],
        rates: Mapping[str, float],
        opened: Mapping[str, int],
        config: TrainConfig,
        steps: int,
        process_group: ProcessGroup = SINGLE_PROCESS,
        extra: Iterable[nn.Parameter] = (),
        rows: tuple[nn.Parameter, TrainedRows] | None = None,
    ) -> None:
        self._steps, self._config, self._rows, self._process_group = steps, config, rows, process_group
        self._step = 0
        self.factor = 1.0  # by which every rate is multiplied
        parts = []
        for group in groups:
            trained = [rows[1].rows if rows and one is rows[0] else one for one in group.parameters]
            matrices = [one for one in trained if one.ndim > 1 and group.key != EMBEDDINGS]
            others = [one for one in trained if not any(one is other for other in matrices)]
            for parameters, decay in ((matrices, config.weight_decay), (others, 0.0)):
                if parameters:
                    parts.append((parameters, rates[group.key], decay, opened[group.key]))
        if extra := [one for one in extra if one.requires_grad]:
            parts.append((extra, config.head_rate, 0.0, 0))
        self._peaks = [(rate, first) for _, rate, _, first in parts]
        self._last = max((first for _, first in self._peaks), default=0)
        self._parameters = [one for parameters, *_ in parts for one in parameters]
        self._adamw = torch.optim.AdamW(
            [{"params": parameters, "lr": rate, "weight_decay": decay} for parameters, rate, decay, _ in parts],
            fused=True,
        )

    @property
    def rates(self) -> list[float]:
        """The rate of each part at the next step."""
        shares = (rate_share(self._step, self._steps, first, self._last, self._config) for _, first in self._peaks)
        return [self.factor * peak * part for (peak, _), part in zip(self._peaks, shares, strict=True)]

    def step(self, loss: Tensor | None) -> None:
        """Move the open groups one step down the gradient of a loss; nothing moves without one."""
        if loss is not None:
            self._adamw.zero_grad()
            if loss.requires_grad:  # not if all that is open is a head whose labels the batch lacks
                loss.backward()
            self._process_group.all_reduce_gradients(self._open_parameters())
            if self._config.clip:
                self._clip()
            for part, rate in zip(self._adamw.param_groups, self.rates, strict=True):
                part["lr"] = rate
            self._adamw.step()
            if self._rows:
                self._rows[1].write_back()
        self._step += 1

    def tensors(self) -> dict[str, Tensor]:
        """Return what AdamW remembers of each parameter."""
        remembered = self._adamw.state
        return {
            f"{n}.{name}": value
            for n, parameter in enumerate(self._parameters)
            for name, value in remembered.get(parameter, {}).items()
        }

    def load(self, tensors: Mapping[str, Tensor], step: int) -> None:
        """Take back what `tensors` gave after so many steps."""
        self._step = step
        for key, value in tensors.items():
            place, _, name = key.partition(".")
            parameter = self._parameters[int(place)]
            self._adamw.state[parameter][name] = value.to(parameter.device)

    def _open_parameters(self) -> list[nn.Parameter]:
        """Return what is open now."""
        table, used = self._rows or (None, None)
        return [one for one in self._parameters if (table if used and one is used.rows else one).requires_grad]

    def _clip(self) -> None:
        """Shorten the gradient if it is longer than `clip`; most are not, and are then only measured."""
        learning = [one for one in self._parameters if one.grad is not None]
        length = nn.utils.get_total_norm([one.grad for one in learning])
        if length > self._config.clip:
            nn.utils.clip_grads_with_norm_(learning, self._config.clip, length)


def batches(places: Sequence[int], lengths: Sequence[int], size: int, order: random.Random) -> list[list[int]]:
    """Return places in random batches of up to `size`, each in the order of lengths, which attention likes.

    The batches are not of like lengths: without padding that would save little, and batches of short sentences only
    slow learning down (on 1,000 lines of dialogue the mean loss of a first epoch was 2.67 instead of 2.45).
    """
    places = list(places)
    order.shuffle(places)
    parts = (places[first : first + size] for first in range(0, len(places), size))
    return [sorted(part, key=lengths.__getitem__) for part in parts]
