"""One step of a run: a batch -> losses of all tasks -> the joint loss -> weights that have moved."""

from collections.abc import Mapping, Sequence
from functools import cached_property

import torch
from torch import Tensor

from mtst.data.class_balance import class_weights
from mtst.data.dataset import Dataset
from mtst.errors import SettingsError
from mtst.model.layer_groups import Group
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training.config import TrainConfig
from mtst.training.distributed import ProcessGroup
from mtst.training.engine.embedding_rows import TrainedRows
from mtst.training.engine.features import Features
from mtst.training.engine.losses import JointLoss, pair_loss, task_sums
from mtst.training.engine.optimizer import Optimizer
from mtst.training.events import GroupPlan


class TrainingStep:
    """Takes the steps of one run.

    Args:
        model: the model that learns.
        data: the training rows.
        config: the settled config.
        plan: what opens when, at which rates.
        groups: the groups that ever open.
        steps_per_epoch: optimizer steps of one pass.
        epochs: passes of the whole run.
        process_group: the processes that share a batch.
        pairs: let the encoder learn from pairs of rows, and the heads from its embeddings, which they do not move.

    Raises:
        SettingsError: something opens, and no task is left whose loss could teach it.
    """

    def __init__(
        self,
        model: MultiTaskSentenceTransformer,
        data: Dataset,
        config: TrainConfig,
        plan: Sequence[GroupPlan],
        groups: Sequence[Group],
        steps_per_epoch: int,
        epochs: int,
        process_group: ProcessGroup,
        *,
        pairs: bool = False,
    ) -> None:
        self._model, self._data, self._config, self._plan, self._groups = model, data, config, plan, groups
        self._steps_per_epoch, self._epochs, self._process_group, self._pairs = (
            steps_per_epoch,
            epochs,
            process_group,
            pairs,
        )
        self._rows: TrainedRows | None = None
        names = [task.name for task in model.tasks]
        if unknown := [name for name in config.task_weights if name not in names]:
            raise SettingsError(f"task_weights names {unknown[0]!r}, which is none of the tasks {', '.join(names)}.")
        frozen = {group.task for group in plan if group.task is not None and not group.open}
        guiding = [name for name in names if config.frozen_head_loss or name not in frozen]
        learning = [name for name in guiding if config.task_weights.get(name, 1.0)]
        if not any(group.open for group in plan if group.task is None):
            learning = [name for name in learning if name not in frozen]  # these would have nothing to move
        if epochs and not learning:
            raise SettingsError("No task's loss is left to learn from. Keep that of a frozen head, or open a head.")
        self.loss = JointLoss(guiding, config).to(model.encoder.device)

    @cached_property
    def _targets(self) -> dict[str, Tensor]:
        device = self._model.encoder.device
        return {name: torch.tensor(labels, device=device) for name, labels in self._data.labels.items()}

    @cached_property
    def _class_weights(self) -> dict[str, Tensor]:
        if self._config.balance != "class-weights":
            return {}
        device = self._model.encoder.device
        return {name: torch.tensor(weights, device=device) for name, weights in class_weights(self._data).items()}

    @cached_property
    def _no_logits(self) -> dict[str, Tensor]:
        device = self._model.encoder.device
        return {task.name: torch.zeros(0, len(task.labels), device=device) for task in self._model.tasks}

    @cached_property
    def _optimizer(self) -> Optimizer:
        table = self._model.encoder.token_embedding
        inside = any(table is not None and one is table.weight for group in self._groups for one in group.parameters)
        if inside:
            self._rows = TrainedRows(
                table, [*self._model.encoder.tokenize(self._data.texts), self._model.encoder.padding]
            )
        return Optimizer(
            self._groups,
            {group.key: group.rate for group in self._plan},
            {group.key: (group.opens_at - 1) * self._steps_per_epoch for group in self._plan if group.open},
            self._config,
            self._epochs * self._steps_per_epoch,
            self._process_group,
            self.loss.parameters(),
            (table.weight, self._rows) if inside else None,
        )

    def take(
        self, features: Features, places: Sequence[int], factor: float = 1.0
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Take one step with the rows at some places, all rates multiplied by a factor.

        Returns:
            The loss of each task that has a label among them, and the logits (places, labels) of each task, with
            zeros where another process has them.
        """
        optimizer = self._optimizer  # it is made before the first pass, which goes through the rows that it trains
        mine = self._process_group.shard(places)
        targets = {name: labels[mine] for name, labels in self._targets.items()}
        embeddings = features.batch(mine) if mine else None
        if embeddings is None:
            logits = self._no_logits
        else:
            logits = self._model.classify(embeddings.detach() if self._pairs else embeddings)
        sums = plain = task_sums(logits, targets)
        if self._class_weights or self._config.label_smoothing:
            sums = task_sums(logits, targets, self._class_weights, self._config.label_smoothing)
        names = list(plain)
        totals = self._process_group.all_reduce(
            torch.stack([torch.stack([plain[name], sums[name]]) for name in names]).detach()
        )
        count = {name: int(found) for name, found in zip(names, totals[:, 0, 1], strict=True)}
        weight = dict(zip(names, totals[:, 1, 1], strict=True))
        optimizer.factor = factor
        parts = {name: sums[name][0] / weight[name] for name in names if count[name]}
        if self._pairs and embeddings is not None:
            share = len(mine) / len(places)
            parts = {name: part + share * pair_loss(embeddings, targets[name]) for name, part in parts.items()}
        optimizer.step(self.loss(parts, self._process_group.world_size))
        if any(parameter.requires_grad for parameter in self._model.encoder.parameters()):
            self._model.encoder.invalidate_cache()  # a fused optimizer writes without PyTorch's count of writes
        losses = {name: totals[k, 0, 0] / count[name] for k, name in enumerate(names) if count[name]}
        return losses, {
            name: self._process_group.pad_shard(values.detach(), len(places)) for name, values in logits.items()
        }

    def tensors(self) -> dict[str, Tensor]:
        """Return what the next steps depend on, next to the weights of the model."""
        return self._optimizer.tensors() | {"log_variances": self.loss.log_variances}

    def load(self, tensors: Mapping[str, Tensor], step: int) -> None:
        """Take back what `tensors` gave after so many steps; the model has its weights already."""
        remembered = dict(tensors)
        with torch.no_grad():
            self.loss.log_variances.copy_(remembered.pop("log_variances"))
        self._optimizer.load(remembered, step)

    def joint(self, losses: Mapping[str, Tensor]) -> float | None:
        """Return the joint loss of some losses, if any of them counts."""
        with torch.no_grad():
            joint = self.loss(losses)
        return None if joint is None else joint.item()

    def close(self) -> None:
        """Take away what was put into the model for the run."""
        if self._rows:
            self._rows.close()
