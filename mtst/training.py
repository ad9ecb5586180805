"""Training as a stream of events: `for event in fit(model, data, config)`."""

import math
import random
import time
from collections.abc import Generator
from functools import cached_property

import torch
from torch import Tensor

from mtst.balance import class_weights, drawn_evenly
from mtst.config import TrainConfig
from mtst.data import Dataset
from mtst.errors import ModelError
from mtst.evaluation import Scores, logits_of, mean_macro_f1, score_tasks
from mtst.events import Embedded, EpochEnded, Event, Finished, GroupPlan, Started, StepEnded
from mtst.features import Features, PooledFeatures, features
from mtst.freezing import find_scenario, freeze, groups_of
from mtst.model import MultiTaskSentenceTransformer
from mtst.optimization import Best, Optimizer, batches, rate_of, task_losses
from mtst.proof import Proof
from mtst.splitting import check_trainable, stratified_split

MAX_VALIDATION_ROWS = 1_000
ROWS_AT_ONCE = 512


def split(data: Dataset, config: TrainConfig) -> tuple[Dataset, Dataset]:
    """Split into train and validation as a run with this config does."""
    share = min(config.validation_share, MAX_VALIDATION_ROWS / max(len(data), 1))
    return stratified_split(data, share, config.seed)


def plan(model: MultiTaskSentenceTransformer, config: TrainConfig) -> tuple[GroupPlan, ...]:
    """Return what a run would open and at which rates, from the bottom group up.

    Raises:
        SettingsError: the scenario is unknown.
    """
    scenario = find_scenario(config.scenario, model.tasks)
    return tuple(
        GroupPlan(
            group.key,
            group.title,
            group.size,
            opened := scenario.opens(group.key),
            rate_of(group, scenario, config) if opened else 0.0,
            group.task,
        )
        for group in groups_of(model)
    )


def fit(
    model: MultiTaskSentenceTransformer,
    data: Dataset,
    config: TrainConfig | None = None,
) -> Generator[Event, bool | None, None]:
    """Train a model in place and tell what happens; its weights end as those of the best epoch.

    The best epoch has the highest mean macro-F1 on the validation rows; the untrained model counts as epoch 0.
    Closing the generator stops it within a step. So does `send(True)`, after which `Finished` still comes.

    Raises:
        SettingsError: the scenario is unknown.
        DataError: there is too little to train and validate on, as `mtst.splitting.check_trainable` says.
        ModelError: the tasks differ from the model's, or the loss stops being a number.
    """
    run = _Run(model, data, config or TrainConfig())
    try:
        early = yield run.started()
        stopped = (yield from run.read()) or early
        if not stopped:
            stopped = yield run.validated(0, {})
        for epoch in range(1, run.epochs + 1):
            if stopped:
                break
            stopped = yield from run.epoch(epoch)
        yield run.finished(stopped=bool(stopped))
    finally:
        run.best.restore()
        model.eval()


class _Run:
    """One run: the model and what is open in it, the rows and their features, the step it has reached."""

    def __init__(self, model: MultiTaskSentenceTransformer, data: Dataset, config: TrainConfig) -> None:
        self.scenario = find_scenario(config.scenario, model.tasks)
        if data.tasks != model.tasks:
            raise ModelError("The model's tasks are not those of the data. Make the model with `data.tasks`.")
        check_trainable(data)
        self.train, self.held_out = split(data, config)
        torch.manual_seed(config.seed)
        self.model, self.config = model, config
        self.opened = freeze(model, self.scenario)
        self.cached = all(group.is_head for group in self.opened)
        self.epochs = (config.epochs or self.scenario.epochs) if self.opened else 0
        self.steps = self.epochs * math.ceil(len(self.train) / config.batch_size)
        self.step = 0
        self._train_features: Features
        self._held_out_features: Features
        self.proof = Proof(groups_of(model), self.opened)
        self.best = Best(self.opened)
        self._start = time.perf_counter()
        self._order = random.Random(config.seed)  # noqa: S311 (the order of the rows, not a secret)

    @property
    def seconds(self) -> float:
        return round(time.perf_counter() - self._start, 4)

    def started(self) -> Started:
        return Started(
            scenario=self.scenario.key,
            tasks=self.model.tasks,
            counts={task.name: tuple(self.train.counts(task).values()) for task in self.train.tasks},
            groups=plan(self.model, self.config),
            train_rows=len(self.train),
            validation_rows=len(self.held_out),
            epochs=self.epochs,
            steps=self.steps,
            cached=self.cached,
        )

    def read(self) -> Generator[Event, bool | None, bool | None]:
        """Prepare the sentences: embed them all if the encoder is frozen, part by part so that one can stop."""
        encoder = self.model.encoder
        if not self.cached:
            self._train_features = features(encoder, self.train.texts, frozen=False)
            self._held_out_features = features(encoder, self.held_out.texts, frozen=False)
            return False
        texts = self.held_out.texts + (self.train.texts if self.steps else ())
        parts: list[Tensor] = []
        for first in range(0, len(texts), ROWS_AT_ONCE):
            parts.append(torch.from_numpy(encoder.encode(texts[first : first + ROWS_AT_ONCE])).to(encoder.device))
            if (yield Embedded(min(first + ROWS_AT_ONCE, len(texts)), len(texts), self.seconds)):
                return True
        held_out, train = torch.cat(parts).tensor_split([len(self.held_out)])
        self._train_features, self._held_out_features = PooledFeatures(train), PooledFeatures(held_out)
        return False

    @cached_property
    def _targets(self) -> dict[str, Tensor]:
        device = self.model.encoder.device
        return {name: torch.tensor(labels, device=device) for name, labels in self.train.labels.items()}

    @cached_property
    def _weights(self) -> dict[str, Tensor]:
        if self.config.balance != "class-weights":
            return {}
        device = self.model.encoder.device
        return {name: torch.tensor(weights, device=device) for name, weights in class_weights(self.train).items()}

    @cached_property
    def _optimizer(self) -> Optimizer:
        return Optimizer(self.opened, self.scenario, self.config, self.steps)

    def epoch(self, number: int) -> Generator[Event, bool | None, bool | None]:
        """Pass once over the training rows; return whether the one who listens asked to stop."""
        outputs: list[dict[str, Tensor]] = []
        order: list[int] = []
        even = self.config.balance == "balanced-sampling"
        rows = drawn_evenly(self.train, self._order) if even else range(len(self.train))
        for places in batches(rows, self._train_features.lengths, self.config.batch_size, self._order):
            logits = self.model.classify(self._train_features.batch(places))
            targets = {name: labels[places] for name, labels in self._targets.items()}
            losses = task_losses(logits, targets)
            if losses:
                weighed = task_losses(logits, targets, self._weights) if self._weights else losses
                self._optimizer.step(sum(weighed.values()))
            self.step += 1
            if (yield self._step_ended(losses)):
                return True
            outputs.append({name: values.detach() for name, values in logits.items()})
            order += places
        logits = {task.name: torch.cat([batch[task.name] for batch in outputs]) for task in self.model.tasks}
        return (yield self.validated(number, score_tasks(logits, self.train.take(order))))

    def _step_ended(self, losses: dict[str, Tensor]) -> StepEnded:
        values = {name: loss.item() for name, loss in losses.items()}
        if not all(map(math.isfinite, values.values())):
            raise ModelError(f"At step {self.step} the loss is not a number any more. Lower the learning rates.")
        return StepEnded(self.step, values, self.seconds)

    def validated(self, epoch: int, train: dict[str, Scores]) -> EpochEnded:
        """Score the validation rows and keep the weights if they are the best so far."""
        scores = score_tasks(logits_of(self.model, self._held_out_features), self.held_out)
        self.best.offer(epoch, mean_macro_f1(scores))
        return EpochEnded(epoch, self.step, train, scores, self.seconds)

    def finished(self, *, stopped: bool) -> Finished:
        self.best.restore()
        self.model.eval()
        return Finished(
            self.best.epoch, stopped and (self.step < self.steps or not self.steps), self.proof.changes(), self.seconds
        )
