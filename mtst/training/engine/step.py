"""One optimizer step: fetch a batch, forward, loss, backward, clip, step."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from mtst.data.dataset import Dataset
from mtst.model.layer_groups import Group
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.model.outputs import targets
from mtst.training.config import ResolvedConfig
from mtst.training.distributed import ProcessGroup
from mtst.training.engine.embedding_rows import TrainedRows
from mtst.training.engine.features import Features
from mtst.training.engine.head_penalty import START, HeadPenalty
from mtst.training.engine.losses import Objective
from mtst.training.engine.optimizer import Optimizer, create_optimizer
from mtst.training.events import GroupPlan


@dataclass(frozen=True, eq=False)
class StepResult:
    """What a step has computed before the weights moved.

    Attributes:
        losses: the mean loss of each task that has a labelled row in the batch.
        logits: those of each task, (batch, labels), with zeros where another process has them.
    """

    losses: dict[str, Tensor]
    logits: dict[str, Tensor]


class TrainingStep:
    """Takes the optimizer steps of one run.

    Args:
        model: the model that learns.
        groups: its layer groups that ever open.
        data: the training rows.
        config: how to train.
        plan: what opens when, at which rates.
        process_group: the processes that share each batch.

    Raises:
        SettingsError: something opens, and no task is left whose loss it could learn from.
    """

    def __init__(
        self,
        model: MultiTaskSentenceTransformer,
        groups: Sequence[Group],
        data: Dataset,
        config: ResolvedConfig,
        plan: Sequence[GroupPlan],
        process_group: ProcessGroup,
    ) -> None:
        device = model.encoder.device
        self._model, self._data, self._config, self._plan = model, data, config, plan
        self._groups = groups
        self._process_group = process_group
        self._targets = {task.name: targets(task, data.labels[task.name], device) for task in data.tasks}
        self._cleanup = ExitStack()
        self.objective = Objective(data, config, plan, process_group, device)

    def take(self, features: Features, batch: Sequence[int], rate_factor: float = 1.0) -> StepResult:
        """Take one step on a batch of training rows, all learning rates multiplied by a factor."""
        optimizer = self._optimizer  # created before the first forward pass, which reads the rows that it trains

        # Fetch this process's share of the batch: n rows.
        rows = self._process_group.shard(batch)
        labels = {name: target[rows] for name, target in self._targets.items()}

        # Forward: embeddings (n, d), logits (n, labels) of each task. The heads do not move what learns from pairs.
        embeddings = features.batch(rows) if rows else self._no_embeddings
        logits = self._model.classify(embeddings.detach() if self._config.learns_from_pairs else embeddings)

        loss = self.objective(embeddings, logits, labels, len(batch))
        penalty = self._head_penalty() / self._process_group.world_size  # the gradients of all processes are summed

        # Backward. There is no gradient if the batch has no label, or none of a head that is open.
        optimizer.zero_grad()
        if loss.total is not None and loss.total.requires_grad:
            (loss.total + penalty).backward()
        self._process_group.all_reduce_gradients(optimizer.parameters)

        if self._config.clip:
            optimizer.clip_gradients(self._config.clip)

        optimizer.step(rate_factor)
        if self._embedding_rows:
            self._embedding_rows.write_back()
        if any(parameter.requires_grad for parameter in self._model.encoder.parameters()):
            self._model.encoder.invalidate_cache()  # PyTorch does not count the writes of a fused optimizer

        padded = {name: self._process_group.pad_shard(values.detach(), len(batch)) for name, values in logits.items()}
        return StepResult(loss.tasks, padded)

    def state_tensors(self) -> dict[str, Tensor]:
        """Return what the next steps depend on, besides the weights of the model."""
        heads = self._head_penalty.state_tensors()
        return self._optimizer.state_tensors() | heads | {"log_variances": self.objective.joint.log_variances}

    def load_state_tensors(self, tensors: Mapping[str, Tensor], step: int) -> None:
        """Restore what `state_tensors` returned after so many steps; the model has its weights already."""
        self._head_penalty.load_state_tensors(tensors)
        optimizer_state = {key: value for key, value in tensors.items() if not key.startswith(START)}
        with torch.no_grad():
            self.objective.joint.log_variances.copy_(optimizer_state.pop("log_variances"))
        self._optimizer.load_state_tensors(optimizer_state, step)

    def close(self) -> None:
        """Remove what was added to the model for the run."""
        self._cleanup.close()

    @property
    def _no_embeddings(self) -> Tensor:
        encoder = self._model.encoder
        return torch.zeros(0, encoder.dimension, device=encoder.device)

    @cached_property
    def _head_penalty(self) -> HeadPenalty:
        return HeadPenalty(self._model, self._config)  # with the first step: the heads have been calibrated by then

    @cached_property
    def _embedding_rows(self) -> TrainedRows | None:
        """The rows of the token embedding that train in place of its table; None if it stays frozen."""
        encoder = self._model.encoder
        modules = encoder.token_embeddings
        if not modules or not any(modules[0].weight is part for group in self._groups for part in group.trained):
            return None
        rows = TrainedRows(modules, [*encoder.tokenize(self._data.texts), encoder.padding])
        self._cleanup.callback(rows.close)
        return rows

    @cached_property
    def _optimizer(self) -> Optimizer:
        rows = self._embedding_rows
        return create_optimizer(
            self._groups,
            self._plan,
            self._config,
            self._config.steps_per_epoch(len(self._data)),
            embedding_norm=self._model.encoder.embedding_norm,
            loss_parameters=list(self.objective.joint.parameters()),
            replaced={rows.weight: rows.rows} if rows else {},
        )
