"""Validation after each epoch: scores, drift of the embeddings, and the best weights so far."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from mtst.data.dataset import Dataset
from mtst.errors import ModelError
from mtst.evaluation.metrics import compute_logits, confusion_matrices, score_tasks
from mtst.evaluation.multi_label import choose_thresholds
from mtst.evaluation.scores import Confusion, Scores
from mtst.model.layer_groups import Group
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training.config import ResolvedConfig
from mtst.training.distributed import ProcessGroup
from mtst.training.engine.best_weights import BestWeights
from mtst.training.engine.features import Features, compute_embeddings


@dataclass(frozen=True)
class ValidationResult:
    """Scores by task, and how far the embeddings have turned from those before training: 1 - their mean cosine."""

    scores: dict[str, Scores]
    drift: float


class Validation:
    """Scores the model on the validation rows after each epoch.

    Args:
        model: the model.
        data: the validation rows.
        groups: the layer groups that ever open.
        config: how to train.
        process_group: the processes that share the work.

    Attributes:
        best: the best weights so far.
        embeddings: those of the validation rows after the last epoch, (n, d); empty before the first.
        initial_embeddings: those before training.
        tasks: the tasks of the model with the thresholds chosen after the last epoch.
    """

    def __init__(
        self,
        model: MultiTaskSentenceTransformer,
        data: Dataset,
        groups: Sequence[Group],
        config: ResolvedConfig,
        process_group: ProcessGroup,
    ) -> None:
        self._model, self._data, self._process_group = model, data, process_group
        self._patience, self._last_opening = config.patience, config.last_opening
        self.best = BestWeights(groups, config.epoch_rule)
        self.tasks = model.tasks
        self.embeddings = self.initial_embeddings = torch.empty(0, model.encoder.dimension)

    def run(self, epoch: int, features: Features) -> ValidationResult:
        """Score the model after an epoch, and keep its weights if they are the best so far.

        Raises:
            ModelError: the model does not compute numbers any more.
        """
        self.embeddings = compute_embeddings(self._model, features, self._process_group)
        logits = compute_logits(self._model, self.embeddings)
        if not all(values.isfinite().all() for values in logits.values()):
            raise ModelError(f"After epoch {epoch} the loss is not a number any more. Lower the learning rates.")
        self.tasks = choose_thresholds(self._model.tasks, logits, self._data)
        scores = score_tasks(logits, self._data, self.tasks)
        self.best.update(epoch, scores, logits)
        if epoch == 0:
            self.initial_embeddings = self.embeddings
        cosines = torch.cosine_similarity(self.embeddings, self.initial_embeddings)
        return ValidationResult(scores, drift=round(max(0.0, 1 - float(cosines.double().mean())), 6))

    def out_of_patience(self, epoch: int) -> bool:
        """Return whether as many epochs as patience allows have passed after the kept one, all groups being open."""
        return epoch - max(self.best.selection.best_epoch, self._last_opening - 1) >= self._patience

    def thresholds(self) -> dict[str, float]:
        """Return the thresholds of the multi-label tasks at the epoch that is kept; empty if there is none."""
        if not self.best.logits:
            return {}
        tasks = choose_thresholds(self._model.tasks, self.best.logits, self._data)
        return {task.name: task.threshold for task in tasks if task.multi}

    def confusion(self) -> dict[str, Confusion]:
        """Return the confusion matrices at the epoch that is kept; empty if there is none."""
        return confusion_matrices(self.best.logits, self._data) if self.best.logits else {}
