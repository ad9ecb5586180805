"""One run, epoch by epoch: the model and what is open in it, the rows and their features, the step it has reached."""

import math
import random
import time
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from mtst.data.class_balance import balanced_sample
from mtst.data.dataset import Dataset
from mtst.data.split import check_trainable
from mtst.errors import ModelError, RunError
from mtst.evaluation.baselines import logistic, majority
from mtst.evaluation.metrics import compute_logits, confusion_matrices, score_tasks
from mtst.evaluation.scores import Scores
from mtst.evaluation.semantic_similarity import measure_embeddings
from mtst.model.layer_groups import is_head, model_groups
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training.config import TrainConfig, split
from mtst.training.distributed import SINGLE_PROCESS, ProcessGroup
from mtst.training.engine import checkpoint
from mtst.training.engine.best_weights import BestWeights
from mtst.training.engine.checkpoint import Checkpoint
from mtst.training.engine.feature_cache import FeatureCache, cache_kind, compute_features
from mtst.training.engine.features import Features, boundary_block, compute_embeddings
from mtst.training.engine.head_calibration import calibrate_heads
from mtst.training.engine.optimizer import batches
from mtst.training.engine.step import TrainingStep
from mtst.training.events import Baselines, EpochEnded, Finished, GroupPlan, Opened, Started, StepEnded, TrainingEvent
from mtst.training.freezing import FreezingProof, freeze
from mtst.training.scenarios import epoch_rule, find_scenario, resolve


class Trainer:
    """One run of `fit`; its methods are the parts of a run, in order."""

    def __init__(
        self,
        model: MultiTaskSentenceTransformer,
        data: Dataset,
        config: TrainConfig,
        plan: Sequence[GroupPlan],
        process_group: ProcessGroup = SINGLE_PROCESS,
        held_out: Dataset | None = None,
        shared: FeatureCache | None = None,
    ) -> None:
        if data.tasks != model.tasks:
            raise ModelError("The model's tasks are not those of the data. Make the model with `data.tasks`.")
        check_trainable(data)
        groups = model_groups(model)
        self._keys = [group.key for group in groups]
        self._scenario = find_scenario(config.scenario, model.tasks)
        self.config, _ = resolve(config, self._scenario, self._keys)
        self._opening = {group.key: group.opens_at for group in plan if group.opens_at is not None}
        self.epochs = (self.config.epochs or 0) if self._opening else 0
        self.model, self.plan, self._process_group = model, plan, process_group
        self.train, self.held_out = split(data, config) if held_out is None else (data, held_out)
        self._prepare = shared.prepare if shared else compute_features
        torch.manual_seed(config.seed + process_group.rank)
        self._groups = [group for group in groups if group.key in self._opening]
        self._proof = FreezingProof(groups, self._opening)
        self._keeps = epoch_rule(self.config, self._scenario)
        self._best = BestWeights(self._groups, self._keeps)
        self._first_embeddings: Tensor | None = None
        self.embeddings: Tensor | None = None  # of the held-out rows, after the last epoch
        self._steps_per_epoch = math.ceil(len(self.train) / self.config.batch_size)
        self._step = 0
        self.epochs_done = 0
        self._features: list[Features] = []
        self._stepper = TrainingStep(
            model,
            self.train,
            self.config,
            self.plan,
            self._groups,
            self._steps_per_epoch,
            self.epochs,
            process_group,
            pairs=self._scenario.pairs,
        )
        self.opens_encoder = any(not is_head(group.key) for group in self._groups)
        measured = self.opens_encoder and shared is None
        self._space = measure_embeddings(model.encoder) if measured else None  # what comparisons have no use for
        freeze(model, self._opened(1))  # last, so that a run which is refused leaves the model as it is
        self._start = time.perf_counter()
        self._order = random.Random(config.seed)  # noqa: S311 (the order of the rows, not a secret)

    @property
    def last_opening(self) -> int:
        """The epoch from which on all is open that ever opens."""
        return max(self._opening.values(), default=1)

    @property
    def _seconds(self) -> float:
        return round(time.perf_counter() - self._start, 4)

    def _opened(self, epoch: int) -> set[str]:
        return {key for key, opens_at in self._opening.items() if opens_at <= epoch}

    def _boundary(self, epoch: int) -> int | None:
        return boundary_block(self._opened(epoch), self._keys, self.model.encoder.num_blocks)

    def started(self) -> Started:
        return Started(
            scenario=self._scenario.key,
            tasks=self.model.tasks,
            counts={task.name: tuple(self.train.counts(task).values()) for task in self.train.tasks},
            groups=tuple(self.plan),
            train_rows=len(self.train),
            validation_rows=len(self.held_out),
            epochs=self.epochs,
            steps=self.epochs * self._steps_per_epoch,
            cached=cache_kind(self._boundary(1)),
            keeps=self._keeps,
            precision=self.model.encoder.precision,
            zero_shot=self.model.zero_shot,
        )

    def measure_baselines(self) -> Iterator[TrainingEvent]:
        """Score the majority class, and a logistic regression on the embeddings of the encoder as it is."""
        encoder = self.model.encoder
        made = yield from compute_features(
            encoder, (self.held_out.texts, self.train.texts), None, self._start, self._process_group
        )
        others, rows = (features.embeddings.cpu().numpy() for features in made)
        regression = logistic(self.train, rows, self.held_out, others)
        yield Baselines(majority(self.train, self.held_out), regression, self._seconds)

    def prepare(self, epoch: int = 1) -> Iterator[TrainingEvent]:
        """Compute what stays the same from this epoch on."""
        freeze(self.model, self._opened(epoch))
        self._features = []  # what was kept until now goes before there is more
        texts = (self.held_out.texts, self.train.texts if self.epochs else ())
        block = self._boundary(epoch)
        self._features = yield from self._prepare(self.model.encoder, texts, block, self._start, self._process_group)

    def start_heads(self) -> None:
        """Let zero-shot heads find out what their labels' words are worth, if they train alone at first."""
        opened = self._opened(1)
        if self.model.zero_shot and opened and all(map(is_head, opened)):
            embeddings = compute_embeddings(self.model, self._features[1], self._process_group)
            calibrate_heads(self.model, opened, self.train, embeddings, self.config)

    def open_groups(self, epoch: int) -> Iterator[TrainingEvent]:
        """Open the groups whose epoch has come."""
        new = tuple(key for key in self._keys if self._opening.get(key) == epoch)
        if epoch == 1 or not new:
            return
        moved = self._boundary(epoch) != self._boundary(epoch - 1)
        freeze(self.model, self._opened(epoch))
        yield Opened(epoch, new, cache_kind(self._boundary(epoch)), self._seconds)
        if moved:
            yield from self.prepare(epoch)

    def batches(self, order: random.Random) -> list[list[int]]:
        """Return the batches of one pass over the training rows."""
        even = self.config.balance == "balanced-sampling"
        rows = balanced_sample(self.train, order) if even else range(len(self.train))
        return batches(rows, self._features[1].lengths, self.config.batch_size, order)

    def try_step(self, places: Sequence[int], factor: float) -> float | None:
        """Take a step with all rates multiplied by a factor; return the joint loss before it, if there is one."""
        return self._stepper.joint(self._stepper.take(self._features[1], places, factor)[0])

    def epoch(self, number: int) -> Iterator[TrainingEvent]:
        """Pass once over the training rows and score the validation rows."""
        self.model.zero_shot = False
        outputs: list[dict[str, Tensor]] = []
        order: list[int] = []
        features = self._features[1]
        for places in self.batches(self._order):
            losses, logits = self._stepper.take(features, places)
            self._step += 1
            yield self._step_ended(losses)
            outputs.append(logits)
            order += places
        self.epochs_done = number
        names = [task.name for task in self.model.tasks]
        logits = {name: self._process_group.all_reduce(torch.cat([one[name] for one in outputs])) for name in names}
        yield self.validated(number, score_tasks(logits, self.train.take(order)))

    def _step_ended(self, losses: dict[str, Tensor]) -> StepEnded:
        values = {name: loss.item() for name, loss in losses.items()}
        if not all(map(math.isfinite, values.values())):
            raise ModelError(f"At step {self._step} the loss is not a number any more. Lower the learning rates.")
        return StepEnded(self._step, values, self._seconds)

    def validated(self, epoch: int, train: dict[str, Scores]) -> EpochEnded:
        """Score the validation rows and keep the weights if they are the best so far."""
        embeddings = compute_embeddings(self.model, self._features[0], self._process_group)
        logits = compute_logits(self.model, embeddings)
        if not all(values.isfinite().all() for values in logits.values()):
            raise ModelError(f"After epoch {epoch} the loss is not a number any more. Lower the learning rates.")
        scores = score_tasks(logits, self.held_out)
        self._best.offer(epoch, scores, logits)
        self.embeddings = embeddings
        if self._first_embeddings is None:
            self._first_embeddings = embeddings
        cosines = torch.cosine_similarity(embeddings, self._first_embeddings)
        drift = round(max(0.0, 1 - float(cosines.double().mean())), 6)
        return EpochEnded(epoch, self._step, train, scores, drift, self._stepper.loss.weights, self._seconds)

    def out_of_patience(self, epoch: int) -> bool:
        """Tell whether as many epochs as patience allows have passed without progress, all groups being open."""
        waited = epoch - max(self._best.choice.progressed, self.last_opening - 1)
        return self.config.patience is not None and waited >= self.config.patience

    def checkpoint(self) -> Checkpoint:
        """Return all that the rest of the run depends on, after an epoch."""
        run = checkpoint.rng_state(self.model.encoder.device) | {"first embeddings": self._first_embeddings}
        parts = self._best.parts(self.epochs_done) | {"optimizer": self._stepper.tensors(), "run": run}
        numbers = {
            "epoch": self.epochs_done,
            "step": self._step,
            "seconds": self._seconds,
            "best": self._best.numbers,
            "order": self._order.getstate(),
        }
        return Checkpoint(parts, numbers)

    def resume(self, saved: Checkpoint) -> Iterator[TrainingEvent]:
        """Go back to where a run of the same job was; what it had computed once is computed again.

        Raises:
            RunError: the checkpoint is of another job.
        """
        numbers, run = saved.numbers, saved.parts["run"]
        try:
            self._best.load(saved.parts, numbers["best"])
            self._stepper.load(saved.parts["optimizer"], numbers["step"])
        except (KeyError, IndexError, RuntimeError) as error:
            raise RunError("The checkpoint does not fit this model and these settings. Train again.") from error
        self._first_embeddings = run["first embeddings"]
        self._step, self.epochs_done = numbers["step"], numbers["epoch"]
        version, state, gauss = numbers["order"]
        self._order.setstate((version, tuple(state), gauss))
        self._start = time.perf_counter() - numbers["seconds"]
        yield from self.prepare(max(1, self.epochs_done))
        checkpoint.restore_rng_state(run, self.model.encoder.device)

    def finished(self, *, stopped: bool) -> Finished:
        self.close()
        complete = self.epochs_done == self.epochs and bool(self._best.logits)
        return Finished(
            best_epoch=self._best.choice.epoch,
            stopped=stopped and not complete,
            early=not stopped and not complete,
            proof=self._proof.table(self.plan, self.epochs_done),
            confusion=confusion_matrices(self._best.logits, self.held_out) if self._best.logits else {},
            space=(self._space, measure_embeddings(self.model.encoder)) if self._space else None,
            seconds=self._seconds,
        )

    def close(self) -> None:
        """Leave the model with its best weights, in evaluation mode."""
        self._best.restore()
        self._stepper.close()
        self.model.eval()
