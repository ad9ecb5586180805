"""Keeps heads on a frozen encoder near where they began, as far as the rows do not say otherwise."""

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn

from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training.config import ResolvedConfig

START = "start of "  # and the task, in the state


class HeadPenalty:
    """A multiple of the squared distance of each open head's weights from where they began (Li and others 2018, L2-SP).

    With the loss it has one minimum: that of a logistic regression whose prior is the zero-shot head instead of zero.
    The factor is `config.head_penalty` divided by the number of labels, since with more labels each is seen less often,
    and multiplied by the squared norm of embeddings, since the longer these are, the smaller are weights and distances.

    Args:
        model: the model, with the heads as they are before the first step.
        config: how to train.
    """

    def __init__(self, model: MultiTaskSentenceTransformer, config: ResolvedConfig) -> None:
        self._heads: dict[str, nn.Linear] = {}
        self._factors: dict[str, float] = {}
        for task, head in zip(model.tasks, model.heads, strict=True):
            weight = config.task_weights.get(task.name, 1.0)
            if config.head_penalty and weight:
                self._heads[task.name] = cast(nn.Linear, head)
                scale = model.encoder.embedding_norm**2 / len(task.labels)
                self._factors[task.name] = weight * config.head_penalty * scale
        self._start = {name: head.weight.detach().clone() for name, head in self._heads.items()}

    def __call__(self) -> Tensor | float:
        """Return the sum over the tasks."""
        parts = [
            self._factors[name] / 2 * (head.weight - self._start[name]).square().sum()
            for name, head in self._heads.items()
            if head.weight.requires_grad
        ]
        return torch.stack(parts).sum() if parts else 0.0

    def state_tensors(self) -> dict[str, Tensor]:
        """Return where the heads began."""
        return {START + name: start for name, start in self._start.items()}

    def load_state_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        """Restore what `state_tensors` returned; a checkpoint of version 0.3 has nothing of it."""
        self._start = {name: tensors.get(START + name, start).to(start.device) for name, start in self._start.items()}
