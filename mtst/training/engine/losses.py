"""What training minimises: the loss of each task over its labelled rows, weighted and summed.

The loss of a row is the cross-entropy of its label; in a multi-label task the sum of the binary cross-entropies of all
labels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, normalize

from mtst.data.class_balance import class_weights
from mtst.data.dataset import UNLABELLED, Dataset
from mtst.errors import SettingsError
from mtst.model.outputs import is_target
from mtst.training.config import ResolvedConfig
from mtst.training.distributed import ProcessGroup
from mtst.training.events import GroupPlan

NO_WEIGHTS: Mapping[str, Tensor] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Loss:
    """The loss of one batch.

    Attributes:
        total: what is minimised; None if no row of the batch has a label that counts.
        tasks: the mean loss of each task that has a labelled row in the batch, without weights and smoothing.
    """

    total: Tensor | None
    tasks: dict[str, Tensor]


class Objective:
    """The loss of a run: class weights, label smoothing, pair loss, and weights of the tasks.

    Args:
        data: the training rows.
        config: how to train.
        plan: what opens in the run.
        process_group: the processes that share each batch.
        device: where the model is.

    Raises:
        SettingsError: something opens, and no task is left whose loss it could learn from.
    """

    def __init__(
        self,
        data: Dataset,
        config: ResolvedConfig,
        plan: Sequence[GroupPlan],
        process_group: ProcessGroup,
        device: torch.device,
    ) -> None:
        tasks = guiding_tasks([task.name for task in data.tasks], config, plan)
        self.joint = JointLoss(tasks, config.task_weights, learned=config.learn_weights).to(device)
        weights = class_weights(data) if config.balance == "class-weights" else {}
        self._class_weights = {name: torch.tensor(values, device=device) for name, values in weights.items()}
        self._label_smoothing = config.label_smoothing
        self._learns_from_pairs = config.learns_from_pairs
        self._process_group = process_group

    def __call__(
        self, embeddings: Tensor, logits: Mapping[str, Tensor], targets: Mapping[str, Tensor], batch_size: int
    ) -> Loss:
        """Return the loss of a batch.

        Args:
            embeddings: those of this process's n rows of the batch, (n, d).
            logits: those of each task, (n, labels).
            targets: those of each task, see `mtst.model.outputs.targets`.
            batch_size: the rows of all processes.
        """
        plain = weighted = task_sums(logits, targets)
        if self._class_weights or self._label_smoothing:
            weighted = task_sums(logits, targets, self._class_weights, self._label_smoothing)
        names = list(plain)
        # (tasks, plain or weighted, sum or weight), over the rows of all processes
        sums = torch.stack([torch.stack([plain[name], weighted[name]]) for name in names]).detach()
        totals = dict(zip(names, self._process_group.all_reduce(sums), strict=True))
        counts = {name: int(totals[name][0, 1]) for name in names}
        labelled = [name for name in names if counts[name]]
        losses = {name: weighted[name][0] / totals[name][1, 1] for name in labelled}
        if self._learns_from_pairs:
            share = len(embeddings) / batch_size
            losses = {name: loss + share * pair_loss(embeddings, targets[name]) for name, loss in losses.items()}
        return Loss(
            total=self.joint(losses, self._process_group.world_size),
            tasks={name: totals[name][0, 0] / counts[name] for name in labelled},
        )


def guiding_tasks(tasks: Sequence[str], config: ResolvedConfig, plan: Sequence[GroupPlan]) -> list[str]:
    """Return the tasks whose loss is minimised: all but those of frozen heads where these do not guide the encoder.

    Raises:
        SettingsError: a weight is of no task, or something opens and no task is left that it could learn from.
    """
    if unknown := [name for name in config.task_weights if name not in tasks]:
        raise SettingsError(f"task_weights names {unknown[0]!r}, which is none of the tasks {', '.join(tasks)}.")
    frozen = {group.task for group in plan if group.task is not None and not group.open}
    guiding = [name for name in tasks if config.frozen_head_loss or name not in frozen]
    learning = [name for name in guiding if config.task_weights.get(name, 1.0)]
    if not any(group.open for group in plan if group.task is None):
        learning = [name for name in learning if name not in frozen]  # these would have nothing to move
    if config.epochs and not learning:
        raise SettingsError("No task's loss is left to learn from. Keep that of a frozen head, or open a head.")
    return guiding


def task_sums(
    logits: Mapping[str, Tensor],
    targets: Mapping[str, Tensor],
    class_weights: Mapping[str, Tensor] = NO_WEIGHTS,
    label_smoothing: float = 0.0,
) -> dict[str, Tensor]:
    """Return for each task the sum of the losses of its labelled rows, and the sum of their weights, (2,).

    The first divided by the second is the mean loss. The shards of a batch can be added up before. In a multi-label
    task a class weight weighs the rows that have the label against those that have not, and every row counts once.
    """
    return {
        name: torch.stack(loss_sum(values, targets[name], class_weights.get(name), label_smoothing))
        for name, values in logits.items()
    }


def loss_sum(
    logits: Tensor, target: Tensor, weights: Tensor | None, label_smoothing: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Return the sum of the losses of the labelled rows of one task, and that of their weights."""
    labelled = is_target(target)
    if target.dim() > 1:
        smoothed = target[labelled].to(logits) * (1 - label_smoothing) + label_smoothing / 2
        total = binary_cross_entropy_with_logits(logits[labelled], smoothed, pos_weight=weights, reduction="sum")
        return total, labelled.sum().to(total)
    total = cross_entropy(
        logits, target, weights, ignore_index=UNLABELLED, reduction="sum", label_smoothing=label_smoothing
    )
    count = labelled.sum() if weights is None else weights[target[labelled]].sum()
    return total, count.to(total)


class JointLoss(nn.Module):
    """The weighted sum of the losses of several tasks.

    With `learned`, the weight of a task is exp(-s), with s / 2 added to the loss and s learned: a task whose labels
    are noisy gets a smaller weight (Kendall, Gal and Cipolla 2018, homoscedastic uncertainty).

    Attributes:
        tasks: the names of those that count.
        log_variances: s of each of them, (tasks,); a parameter if it is learned.
    """

    fixed: Tensor  # the weights from the settings, (tasks,)

    def __init__(self, tasks: Sequence[str], weights: Mapping[str, float], *, learned: bool = False) -> None:
        super().__init__()
        self.tasks = tuple(tasks)
        fixed = [weights.get(task, 1.0) for task in self.tasks]
        self._counts = [weight > 0 for weight in fixed]  # a task of weight 0 does not even decay its head
        self.register_buffer("fixed", torch.tensor(fixed))
        self.log_variances = nn.Parameter(torch.zeros(len(self.tasks)), requires_grad=learned)

    def forward(self, losses: Mapping[str, Tensor], processes: int = 1) -> Tensor | None:
        """Return the joint loss of the tasks that have one; None if none has.

        Where each of several processes has a part of the losses, it adds its part of what does not depend on them.
        """
        terms = [
            self.fixed[k] * ((-s).exp() * losses[task] + s / (2 * processes))
            for k, (task, s) in enumerate(zip(self.tasks, self.log_variances, strict=True))
            if task in losses and self._counts[k]
        ]
        return torch.stack(terms).sum() if terms else None

    @property
    def weights(self) -> dict[str, float]:
        """The current weight of each task."""
        values = (self.fixed * (-self.log_variances).exp()).tolist()
        return dict(zip(self.tasks, values, strict=True))


def pair_loss(embeddings: Tensor, target: Tensor) -> Tensor:
    """Return how far the cosines of all pairs of labelled rows are from how much of their labels they share, squared.

    That is 1 for the same label and 0 for another; in a multi-label task it is the Jaccard index of the label sets.
    Pairs that share something count half in all, and so do the others. SetFit (Tunstall et al. 2022, "Efficient
    few-shot learning without prompts") passes each drawn pair through the encoder by itself; here n sentences that are
    passed through it once are n (n - 1) / 2 pairs.

    Args:
        embeddings: one for each row, (n, d).
        target: of the task, see `mtst.model.outputs.targets`.

    Returns:
        A single value, 0 where there is no pair.
    """
    labelled = is_target(target)
    rows, labels = normalize(embeddings[labelled], dim=1), target[labelled]
    first, second = torch.triu_indices(len(rows), len(rows), offset=1, device=rows.device)
    shared = _shared_labels(labels)[first, second].to(rows)
    errors = ((rows @ rows.T)[first, second] - shared) ** 2
    kinds = [errors[kind].mean() for kind in (shared > 0, shared == 0) if kind.any()]
    return torch.stack(kinds).mean() if kinds else rows.sum() * 0


def _shared_labels(target: Tensor) -> Tensor:
    """Return how much of their labels n labelled rows share, from 0 to 1, (n, n)."""
    if target.dim() == 1:
        return target[:, None] == target
    common = target @ target.T
    sizes = target.sum(dim=1)
    union = sizes[:, None] + sizes - common
    return torch.where(union > 0, common / union.clamp(min=1), 1.0)  # two rows without labels are alike
