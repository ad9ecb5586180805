"""What zero-shot heads learn before the first epoch: how far the words of their labels can be trusted."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mtst.data.class_balance import class_weights
from mtst.data.dataset import UNLABELLED, Dataset
from mtst.model.layer_groups import HEAD
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training.config import TrainConfig

ITERATIONS = 100


def calibrate_heads(
    model: MultiTaskSentenceTransformer, opened: set[str], data: Dataset, embeddings: Tensor, config: TrainConfig
) -> None:
    """Let the zero-shot heads that are open learn from the rows how far to trust their words.

    Args:
        model: the model, whose heads are as they were made.
        opened: keys of the open groups.
        data: the training rows.
        embeddings: those of the rows, (n, d).
        config: how to train; it says what rare labels weigh, and which tasks count.
    """
    weights = {} if config.balance == "none" else class_weights(data)
    for task, head in zip(model.tasks, model.heads, strict=True):
        if HEAD + task.name in opened and config.task_weights.get(task.name, 1.0):
            calibrate_head(head, embeddings, data.labels[task.name], weights.get(task.name))


def calibrate_head(
    head: nn.Linear, embeddings: Tensor, labels: Sequence[int], weights: Sequence[float] | None = None
) -> None:
    """Scale the weights of a zero-shot head, and give each label a bias, as fits labelled embeddings (n, d) best.

    It is the scaling of logits by one factor and a bias a label (Platt 1999; Guo, Pleiss, Sun and Weinberger 2017), the
    logarithm of the factor and the biases held near 0 by a Gaussian prior of width 1. Words that tell nothing of the
    labels weigh next to nothing afterwards, and no epochs are spent on unlearning them.

    Args:
        head: the head, changed in place.
        embeddings: those of the training rows.
        labels: the place of the label of each row, `UNLABELLED` for none.
        weights: of each label, where the labels do not count by their rows; n rows weigh n in any case.
    """
    device = head.weight.device
    truth = torch.tensor(labels, device=device)
    known = truth != UNLABELLED
    truth = truth[known]
    with torch.no_grad():
        logits = head(embeddings.to(device)[known]).double()
    balance = None if weights is None else logits.new_tensor(weights)
    found = logits.new_zeros(1 + logits.shape[1], requires_grad=True)
    search = torch.optim.LBFGS([found], max_iter=ITERATIONS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        search.zero_grad()
        scaled = found[0].exp() * logits + found[1:]
        total = cross_entropy(scaled, truth, balance, reduction="sum") + found.square().sum() / 2
        total.backward()
        return total

    search.step(loss)
    with torch.no_grad():
        factor = found[0].exp()
        head.weight.mul_(factor)
        head.bias.mul_(factor).add_(found[1:])
