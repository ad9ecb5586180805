"""The joint loss: cross-entropy of each task over the rows that have its label, weighted and summed."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mtst.config import TrainConfig
from mtst.data import UNLABELLED

NOTHING: Mapping[str, Tensor] = MappingProxyType({})


def task_sums(
    logits: Mapping[str, Tensor],
    targets: Mapping[str, Tensor],
    class_weights: Mapping[str, Tensor] = NOTHING,
    smoothing: float = 0.0,
) -> dict[str, Tensor]:
    """Return for each task the sum of the cross-entropies of its labelled rows, and the sum of their weights, (2,).

    The first divided by the second is the mean loss; the parts of a batch can be added up before.
    """
    sums = {}
    for name, values in logits.items():
        target, weights = targets[name], class_weights.get(name)
        known = target[target != UNLABELLED]
        total = cross_entropy(
            values, target, weights, ignore_index=UNLABELLED, reduction="sum", label_smoothing=smoothing
        )
        count = known.new_tensor(len(known)) if weights is None else weights[known].sum()
        sums[name] = torch.stack([total, count.to(total)])
    return sums


class JointLoss(nn.Module):
    """The weighted sum of the losses of several tasks.

    With `learn_weights` the weight of a task is exp(-s), with s / 2 added to the loss and s learned: a task whose
    labels are noisy comes to weigh less (Kendall, Gal and Cipolla 2018, homoscedastic uncertainty).

    Attributes:
        tasks: the names of those that count.
        log_variances: s of each of them, (tasks,); a parameter if it is learned.
    """

    def __init__(self, tasks: Sequence[str], config: TrainConfig) -> None:
        super().__init__()
        self.tasks = tuple(tasks)
        weights = [config.task_weights.get(task, 1.0) for task in self.tasks]
        self._counts = [weight > 0 for weight in weights]  # a task that weighs nothing does not even decay its head
        self.register_buffer("fixed", torch.tensor(weights))
        self.log_variances = nn.Parameter(torch.zeros(len(self.tasks)), requires_grad=config.learn_weights)

    def forward(self, losses: Mapping[str, Tensor], processes: int = 1) -> Tensor | None:
        """Return the joint loss of the tasks that have one; nothing if none has.

        Where each of several processes has a part of the losses, it adds its part of what does not depend on them.
        """
        parts = [
            self.fixed[k] * ((-s).exp() * losses[task] + s / (2 * processes))
            for k, (task, s) in enumerate(zip(self.tasks, self.log_variances, strict=True))
            if task in losses and self._counts[k]
        ]
        return torch.stack(parts).sum() if parts else None

    @property
    def weights(self) -> dict[str, float]:
        """The weight of each task now."""
        values = (self.fixed * (-self.log_variances).exp()).tolist()
        return dict(zip(self.tasks, values, strict=True))
