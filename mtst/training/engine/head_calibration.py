"""Calibration of zero-shot heads before the first epoch: how far the words of their labels can be trusted."""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from mtst.data.class_balance import class_weights
from mtst.data.dataset import Dataset
from mtst.data.tasks import Task
from mtst.model.layer_groups import HEAD, is_head
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.model.outputs import is_target, targets
from mtst.training.config import ResolvedConfig
from mtst.training.engine.losses import loss_sum

MAX_ITERATIONS = 100


def tasks_to_calibrate(model: MultiTaskSentenceTransformer, config: ResolvedConfig) -> list[Task]:
    """Return the tasks whose zero-shot heads are calibrated: they are open, and alone at first.

    A multi-label head is calibrated even if the encoder opens with it: without biases it would begin with all labels.
    """
    opened = config.open_at(1)
    heads_alone = all(map(is_head, opened))
    return [
        task
        for task in model.tasks
        if model.zero_shot
        and HEAD + task.name in opened
        and config.task_weights.get(task.name, 1.0)
        and (heads_alone or task.multi)
    ]


def calibrate_heads(
    model: MultiTaskSentenceTransformer,
    tasks: Sequence[Task],
    data: Dataset,
    embeddings: Tensor,
    config: ResolvedConfig,
) -> None:
    """Calibrate the zero-shot heads of some tasks.

    Args:
        model: the model, whose heads have not learned yet.
        tasks: those whose heads are calibrated.
        data: the training rows.
        embeddings: those of the rows, (n, d).
        config: how to train: the weights of rare labels.
    """
    weights = {} if config.balance == "none" else class_weights(data)
    for task, head in zip(model.tasks, model.heads, strict=True):
        if task in tasks:
            target = targets(task, data.labels[task.name], embeddings.device)
            calibrate_head(cast(nn.Linear, head), embeddings, target, weights.get(task.name))


def calibrate_head(head: nn.Linear, embeddings: Tensor, target: Tensor, weights: Sequence[float] | None = None) -> None:
    """Fit a factor of the weights of a zero-shot head, and a bias of each label, to labelled embeddings (n, d).

    This scales the logits by one factor and adds a bias per label (Platt 1999; Guo, Pleiss, Sun and Weinberger 2017). A
    Gaussian prior of width 1 keeps the logarithm of the factor and the biases near 0. Words that do not predict the
    labels have almost no weight afterwards, so no epochs are spent on unlearning them.

    Args:
        head: the head, changed in place.
        embeddings: those of the training rows.
        target: the labels of the rows, see `mtst.model.outputs.targets`.
        weights: the weight of each label; without, every row counts once.
    """
    device = head.weight.device
    labelled = is_target(target).to(device)
    target = target.to(device)[labelled]
    with torch.no_grad():
        logits = head(embeddings.to(device)[labelled]).double()
    class_weight = None if weights is None else logits.new_tensor(weights)
    parameters = logits.new_zeros(1 + logits.shape[1], requires_grad=True)  # the logarithm of the factor, the biases
    optimizer = torch.optim.LBFGS([parameters], max_iter=MAX_ITERATIONS, line_search_fn="strong_wolfe")

    def loss() -> float:
        optimizer.zero_grad()
        scaled = parameters[0].exp() * logits + parameters[1:]
        total = loss_sum(scaled, target, class_weight)[0] + parameters.square().sum() / 2
        total.backward()
        return total.item()

    optimizer.step(loss)
    with torch.no_grad():
        factor = parameters[0].exp()
        head.weight.mul_(factor)
        head.bias.mul_(factor).add_(parameters[1:])
