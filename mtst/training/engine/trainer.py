"""One run, part by part: the model and what is open in it, the rows and their features, the step it has reached."""

import math
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import torch
from torch import Tensor

from mtst.errors import ModelError, RunError
from mtst.evaluation.baselines import logistic, majority
from mtst.evaluation.metrics import score_tasks
from mtst.evaluation.scores import Scores
from mtst.evaluation.semantic_similarity import measure_embeddings
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.model.trained_parts import trained_groups
from mtst.training.config import ResolvedConfig, Split
from mtst.training.distributed import SINGLE_PROCESS, ProcessGroup
from mtst.training.engine.batches import epoch_batches
from mtst.training.engine.checkpoint import Checkpoint, restore_rng_state, rng_state
from mtst.training.engine.feature_cache import FeatureCache, cache_kind, compute_features, compute_pooled
from mtst.training.engine.features import Features, PooledFeatures, boundary_block, compute_embeddings
from mtst.training.engine.head_calibration import calibrate_heads, tasks_to_calibrate
from mtst.training.engine.step import TrainingStep
from mtst.training.engine.validation import Validation
from mtst.training.events import Baselines, EpochEnded, Finished, Opened, Started, StepEnded, TrainingEvent
from mtst.training.freezing import FreezingProof, freeze
from mtst.training.planning import plan_groups


class Trainer:
    """One run of `fit`; its methods are the parts of a run, in order.

    Args:
        model: the model, trained in place.
        rows: the rows to train and validate on.
        config: how to train.
        process_group: the processes that train together.
        feature_cache: features that other runs of the same rows have computed. Such runs are many, and do not measure
            what happens to general similarity.

    Attributes:
        embeddings_move: whether the encoder ever opens.
        epochs_done: epochs that have been trained to their end.

    Raises:
        SettingsError: something opens, and no task is left whose loss it could learn from.
    """

    def __init__(
        self,
        model: MultiTaskSentenceTransformer,
        rows: Split,
        config: ResolvedConfig,
        *,
        process_group: ProcessGroup = SINGLE_PROCESS,
        feature_cache: FeatureCache | None = None,
    ) -> None:
        self.model, self.config = model, config
        self._rows, self._process_group = rows, process_group
        self._compute_features = feature_cache.compute if feature_cache else compute_features
        self._plan = plan_groups(model, config)
        self._keys = [planned.key for planned in self._plan]
        self._forget_features()
        self._order = random.Random(config.seed)  # noqa: S311 (the order of the rows, not a secret)
        self._step = self.epochs_done = 0
        self.embeddings_move = any(planned.open and planned.task is None for planned in self._plan)
        measure = self.embeddings_move and feature_cache is None
        self._space_before = measure_embeddings(model.encoder) if measure else None
        with ExitStack() as cleanup:  # what it does last is at the top: adapters are merged when all else is done
            torch.manual_seed(config.seed)  # adapters begin alike in every process
            self._groups = cleanup.enter_context(trained_groups(model, config.opening, config.trains))
            opening = [group for group in self._groups if group.key in config.opening]
            self._proof = FreezingProof(self._groups, config.opening)
            cleanup.callback(self._proof.check_rests)
            self._training_step = TrainingStep(model, opening, rows.train, config, self._plan, process_group)
            cleanup.callback(self._training_step.close)
            self._validation = Validation(model, rows.validation, opening, config, process_group)
            cleanup.callback(self._validation.best.restore)
            self._cleanup = cleanup.pop_all()
        torch.manual_seed(config.seed + process_group.rank)
        freeze(model, self._groups, config.open_at(1))  # last, so that a run which is refused leaves the model as it is
        self._start = time.perf_counter()

    @property
    def embeddings(self) -> Tensor:
        """The embeddings of the validation rows after the last epoch, (n, d)."""
        return self._validation.embeddings

    @property
    def _seconds(self) -> float:
        return round(time.perf_counter() - self._start, 4)

    def _boundary(self, epoch: int) -> int | None:
        return boundary_block(self.config.open_at(epoch), self._keys, self.model.encoder.num_blocks)

    def started(self) -> Started:
        """Return what the run will do."""
        train, validation = self._rows
        return Started(
            scenario=self.config.scenario,
            tasks=self.model.tasks,
            counts={task.name: tuple(train.counts(task).values()) for task in train.tasks},
            groups=self._plan,
            train_rows=len(train),
            validation_rows=len(validation),
            epochs=self.config.epochs,
            steps=self.config.epochs * self.config.steps_per_epoch(len(train)),
            cached=cache_kind(self._boundary(1)),
            keeps=self.config.epoch_rule,
            precision=self.model.encoder.precision,
            zero_shot=self.model.zero_shot,
            prompt=self.model.encoder.prompt,
        )

    def measure_baselines(self) -> Iterator[TrainingEvent]:
        """Score the majority class, and a logistic regression on the embeddings of the encoder as it is."""
        train, validation = self._rows
        texts = (validation.texts, train.texts)
        validation_embeddings, train_embeddings = yield from compute_pooled(
            self.model.encoder, texts, self._start, self._process_group
        )
        regression = logistic(train, train_embeddings.cpu().numpy(), validation, validation_embeddings.cpu().numpy())
        yield Baselines(majority(train, validation), regression, self._seconds)

    def prepare(self, epoch: int = 1) -> Iterator[TrainingEvent]:
        """Open what is open in an epoch, and compute the features that stay the same from then on."""
        freeze(self.model, self._groups, self.config.open_at(epoch))
        self._forget_features()  # to free their memory before there are more
        texts = (self._rows.validation.texts, self._rows.train.texts if self.config.epochs else ())
        self._validation_features, self._train_features = yield from self._compute_features(
            self.model.encoder, texts, self._boundary(epoch), self._start, self._process_group
        )

    def _forget_features(self) -> None:
        nothing: Features = PooledFeatures(torch.empty(0, self.model.encoder.dimension))
        self._validation_features = self._train_features = nothing

    def calibrate_heads(self) -> None:
        """Scale zero-shot heads by how far the words of their labels can be trusted."""
        if tasks := tasks_to_calibrate(self.model, self.config):
            embeddings = compute_embeddings(self.model, self._train_features, self._process_group)
            calibrate_heads(self.model, tasks, self._rows.train, embeddings, self.config)

    def open_groups(self, epoch: int) -> Iterator[TrainingEvent]:
        """Open the groups whose epoch has come."""
        new = tuple(key for key in self._keys if self.config.opening.get(key) == epoch)
        if epoch == 1 or not new:
            return
        boundary = self._boundary(epoch)
        freeze(self.model, self._groups, self.config.open_at(epoch))
        yield Opened(epoch, new, cache_kind(boundary), self._seconds)
        if boundary != self._boundary(epoch - 1):
            yield from self.prepare(epoch)

    def batches(self, order: random.Random) -> list[list[int]]:
        """Return the batches of one pass over the training rows."""
        return epoch_batches(self._rows.train, self._train_features.lengths, self.config, order)

    def train_epoch(self, epoch: int) -> Iterator[TrainingEvent]:
        """Pass once over the training rows, then score the validation rows."""
        self.model.zero_shot = False
        logits: list[dict[str, Tensor]] = []
        order: list[int] = []
        for batch in self.batches(self._order):
            result = self._training_step.take(self._train_features, batch)
            self._step += 1
            yield self._step_ended(result.losses)
            logits.append(result.logits)
            order += batch
        self.epochs_done = epoch
        all_logits = {
            task.name: self._process_group.all_reduce(torch.cat([part[task.name] for part in logits]))
            for task in self.model.tasks
        }
        yield self.validate(epoch, score_tasks(all_logits, self._rows.train.take(order), self._validation.tasks))

    def try_step(self, batch: Sequence[int], rate_factor: float) -> float | None:
        """Take a step with all rates multiplied by a factor; return the joint loss before it, if there is one."""
        losses = self._training_step.take(self._train_features, batch, rate_factor).losses
        with torch.no_grad():
            joint = self._training_step.objective.joint(losses)
        return None if joint is None else joint.item()

    def _step_ended(self, losses: dict[str, Tensor]) -> StepEnded:
        values = {name: loss.item() for name, loss in losses.items()}
        if not all(map(math.isfinite, values.values())):
            raise ModelError(f"At step {self._step} the loss is not a number any more. Lower the learning rates.")
        return StepEnded(self._step, values, self._seconds)

    def validate(self, epoch: int, train_scores: dict[str, Scores]) -> EpochEnded:
        """Score the validation rows, and keep the weights if they are the best so far."""
        result = self._validation.run(epoch, self._validation_features)
        weights = self._training_step.objective.joint.weights
        moved = self._proof.moved(self.config.open_at(epoch)) if epoch else {}
        return EpochEnded(epoch, self._step, train_scores, result.scores, result.drift, weights, self._seconds, moved)

    def out_of_patience(self, epoch: int) -> bool:
        """Return whether training should stop after an epoch because none has been kept for too long."""
        return self._validation.out_of_patience(epoch)

    def checkpoint(self) -> Checkpoint:
        """Return all that the rest of the run depends on, after an epoch."""
        best = self._validation.best
        run = rng_state(self.model.encoder.device) | {"first embeddings": self._validation.initial_embeddings}
        parts = {"optimizer": self._training_step.state_tensors(), "run": run}
        numbers = {
            "epoch": self.epochs_done,
            "step": self._step,
            "seconds": self._seconds,
            "best": best.selection.state_dict(),
            "order": self._order.getstate(),
        }
        return Checkpoint(best.state_dict(self.epochs_done) | parts, numbers)

    def resume(self, saved: Checkpoint) -> Iterator[TrainingEvent]:
        """Go back to where a run of the same job was; features are computed again.

        Raises:
            RunError: the checkpoint is of another job.
        """
        numbers, run = saved.numbers, saved.parts["run"]
        try:
            self._validation.best.load_state_dict(saved.parts, numbers["best"])
            self._training_step.load_state_tensors(saved.parts["optimizer"], numbers["step"])
        except (KeyError, IndexError, RuntimeError) as error:
            raise RunError("The checkpoint does not fit this model and these settings. Train again.") from error
        self._validation.initial_embeddings = run["first embeddings"]
        self._step, self.epochs_done = numbers["step"], numbers["epoch"]
        version, state, gauss = numbers["order"]
        self._order.setstate((version, tuple(state), gauss))
        self._start = time.perf_counter() - numbers["seconds"]
        yield from self.prepare(max(1, self.epochs_done))
        restore_rng_state(run, self.model.encoder.device)

    def finish(self, *, stopped: bool) -> Finished:
        """Give the model its best weights, and return what became of it."""
        self.close()
        best = self._validation.best
        complete = self.epochs_done == self.config.epochs and bool(best.logits)
        before = self._space_before
        thresholds = self._validation.thresholds()
        self.model.set_thresholds(thresholds)
        return Finished(
            best_epoch=best.selection.best_epoch,
            stopped=stopped and not complete,
            early=not stopped and not complete,
            proof=self._proof.table(self._plan, self.epochs_done),
            confusion=self._validation.confusion(),
            space=(before, measure_embeddings(self.model.encoder)) if before else None,
            seconds=self._seconds,
            thresholds=thresholds,
        )

    def close(self) -> None:
        """Leave the model with its best weights, in evaluation mode, without anything that was added for the run."""
        self._cleanup.close()
        self.model.eval()
