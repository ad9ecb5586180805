"""The joint loss: cross-entropy of each task over the rows that have its label, weighted and summed."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from mtst.data.dataset import UNLABELLED
from mtst.training.config import TrainConfig

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


def pair_loss(embeddings: Tensor, target: Tensor) -> Tensor:
    """Return how far the cosines of all pairs of labelled rows are from 1 (same label) or 0 (another), squared.

    Pairs of the same label count half in all, and so do the others. SetFit (Tunstall et al. 2022, "Efficient few-shot
    learning without prompts") passes each drawn pair through the encoder by itself; here n sentences that are passed
    through it once are n (n - 1) / 2 pairs.

    Args:
        embeddings: one for each row, (n, d).
        target: the number of each row's label, or UNLABELLED, (n,).

    Returns:
        A single value, 0 where there is no pair.
    """
    known = target != UNLABELLED
    rows, labels = normalize(embeddings[known], dim=1), target[known]
    first, second = torch.triu_indices(len(rows), len(rows), offset=1, device=rows.device)
    same = labels[first] == labels[second]
    errors = ((rows @ rows.T)[first, second] - same.to(rows)) ** 2
    kinds = [errors[kind].mean() for kind in (same, ~same) if kind.any()]
    return torch.stack(kinds).mean() if kinds else rows.sum() * 0
