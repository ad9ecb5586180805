"""Train every scenario on the same rows, and judge all by rows that none of them has seen."""

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from mtst.comparison.cost import measure_pace, training_costs
from mtst.comparison.events import (
    Attempt,
    AttemptEnded,
    AttemptEpoch,
    Compared,
    ComparisonEvent,
    ComparisonStarted,
)
from mtst.comparison.known_results import expect_for
from mtst.comparison.learning_curve import EmbeddedRows, learning_curve
from mtst.comparison.race import behind_in_epochs, behind_in_rounds, order_of_turns
from mtst.comparison.results import Comparison
from mtst.comparison.rows import AttemptRows, RowPlan, only_task
from mtst.data.dataset import Dataset
from mtst.data.split import check_trainable
from mtst.data.tasks import Task
from mtst.encoders.encoder import Encoder
from mtst.errors import DataError
from mtst.evaluation.baselines import logistic_regression, most_frequent, score_together
from mtst.evaluation.metrics import compute_logits, score_tasks
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.model.outputs import predicted_values, probabilities
from mtst.training.config import Split, TrainConfig
from mtst.training.distributed import SINGLE_PROCESS
from mtst.training.engine.feature_cache import FeatureCache, compute_pooled
from mtst.training.events import Embedded, EpochEnded, Finished, Started
from mtst.training.fitting import fit

Inspect = Callable[[Attempt, MultiTaskSentenceTransformer], None]


def compare_scenarios(  # noqa: PLR0913 (the one function of the package that has all of these)
    encoder: Encoder,
    data: Dataset,
    config: TrainConfig,
    attempts: Sequence[Attempt],
    *,
    test: Dataset | None = None,
    done: Comparison | None = None,
    race: bool = True,
    should_stop: Callable[[], bool] = lambda: False,
    inspect: Inspect = lambda _attempt, _model: None,
) -> Iterator[ComparisonEvent | Embedded]:
    """Run attempts one after another, event by event; the encoder is left as it was.

    The rows are divided by `config.seed` and, with folds, the attempt's seed: into those to learn from, those by which
    an attempt chooses its epoch, and those by which it is judged. What several attempts need of the frozen encoder is
    computed once.

    Args:
        encoder: the encoder that every attempt begins with.
        data: all rows.
        config: the settings of all attempts, but for scenario and seed.
        attempts: what to try, as `plan_attempts` returns it; a task that has too few rows to be learnt alone is not.
        test: rows to judge by; without, each fold judges in turn, or a fifth of `data`, up to 1,000 rows, is set aside.
        done: an earlier part of this comparison, which was stopped: what has ended there is not done again.
        race: whether scenarios that are unlikely to win are stopped early; see `mtst.comparison.race`.
        should_stop: asked once a step; when it returns True, the comparison ends without the attempt in progress.
        inspect: called with each attempt and the model it has trained, before the encoder is restored.

    Raises:
        DataError: there is too little to learn from and to judge by.
        SettingsError: a scenario cannot be followed with this config.
        ModelError: a loss stops being a number.
    """
    start = time.perf_counter()
    plan = RowPlan(data, config, 1 + max(attempt.fold for attempt in attempts), test)
    features = FeatureCache(plan.learning.texts)
    run = _Run(encoder, config, features, should_stop, inspect)
    initial_weights = _InitialWeights(encoder)
    comparison = done.copy() if done else Comparison()
    stopped = False
    if not comparison.has_started:
        for event in run.begin(plan, attempts, start, race=race):
            comparison.extend([event])
            yield event
            if stopped := should_stop():
                break
        initial_weights.restore()
    race = comparison.has_started and comparison.started.race
    while not stopped and (attempt := comparison.current):
        if race and (dropped := behind_in_rounds(comparison)):
            comparison.extend(dropped)
            yield from dropped
            continue
        try:
            with closing(run.attempt(attempt, plan.of(attempt))) as events:
                for event in events:
                    comparison.extend([event])
                    yield event
                    if race and isinstance(event, AttemptEpoch) and (behind := behind_in_epochs(comparison, event)):
                        comparison.extend([behind])
                        yield behind
                        break
        finally:
            initial_weights.restore()
        stopped = should_stop() or comparison.current == attempt
    yield Compared(stopped, round(time.perf_counter() - start, 2))


@dataclass(frozen=True, eq=False)
class _Run:
    """What the attempts of a comparison have in common."""

    encoder: Encoder
    config: TrainConfig
    feature_cache: FeatureCache
    should_stop: Callable[[], bool]
    inspect: Inspect

    def begin(
        self, plan: RowPlan, attempts: Sequence[Attempt], start: float, *, race: bool
    ) -> Iterator[ComparisonEvent | Embedded]:
        """Pass all sentences through the encoder, measure what that reaches, and what training costs."""
        rounds = {one.round: plan.of(one) for one in attempts if one.task is None}
        folds = [rows for (seed, _), rows in rounds.items() if seed == 0]
        parts = []
        for rows in folds:
            (train,) = yield from self.feature_cache.compute(
                self.encoder, (rows.train.texts,), None, start, SINGLE_PROCESS
            )
            (test,) = yield from compute_pooled(self.encoder, (rows.test.texts,), start, SINGLE_PROCESS)
            embeddings = train.batch(range(len(rows.train))).cpu().numpy()
            parts.append(EmbeddedRows(rows.train, embeddings, rows.test, test.cpu().numpy()))
        order = np.argsort([row for rows in folds for row in rows.judged])
        attempts = [one for one in attempts if _is_trainable(rounds.values(), one.task)]
        costs, pace = self._measure_cost(folds[0], attempts)
        turns = order_of_turns(costs, expect_for(plan.learning.tasks, plan.learning.labelled_rows))
        yield ComparisonStarted(
            attempts=tuple(
                sorted(attempts, key=lambda one: (one.round, one.task is not None, turns.index(one.scenario)))
            ),
            tasks=plan.learning.tasks,
            train_rows=len(folds[0].train),
            validation_rows=len(folds[0].validation),
            truth=dict(plan.judging.labels),
            majority=score_together([most_frequent(part.train, len(part.test)) for part in parts], order, plan.judging),
            logistic=score_together(
                [logistic_regression(part.train, part.train_embeddings, part.test_embeddings) for part in parts],
                order,
                plan.judging,
            ),
            precision=self.encoder.precision,
            seconds=round(time.perf_counter() - start, 2),
            folds=plan.folds,
            costs=costs,
            pace=pace,
            race=race,
        )
        yield learning_curve(parts)

    def _measure_cost(self, rows: AttemptRows, attempts: Sequence[Attempt]) -> tuple[dict[str, float], float]:
        """Return the passes that each scenario takes, and the seconds of a pass."""
        model = MultiTaskSentenceTransformer(self.encoder, rows.train.tasks)
        scenarios = dict.fromkeys(one.scenario for one in attempts)
        costs = training_costs(model, scenarios, self.config, len(rows.train), len(rows.validation))
        dearest = max(costs, key=costs.__getitem__)
        if not costs[dearest]:
            return costs, 0.0
        split = Split(rows.train, rows.validation)
        return costs, measure_pace(model, dearest, self.config, split, self.feature_cache)

    def attempt(self, attempt: Attempt, rows: AttemptRows) -> Generator[AttemptEpoch | AttemptEnded, None, None]:
        """Train and test one scenario; it has not ended if it was stopped before its end."""
        saved = self.feature_cache.seconds_saved
        model = MultiTaskSentenceTransformer(self.encoder, rows.train.tasks)
        drifts: list[float] = []
        for event in fit(
            model,
            rows.train,
            replace(self.config, scenario=attempt.scenario, seed=attempt.seed),
            baselines=False,
            validation=rows.validation,
            feature_cache=self.feature_cache,
            should_stop=self.should_stop,
        ):
            match event:
                case Started():
                    started = event
                case EpochEnded():
                    drifts.append(event.drift)
                    seconds = round(event.seconds + self.feature_cache.seconds_saved - saved, 2)
                    yield AttemptEpoch(attempt, event.epoch, started.epochs, event.validation, event.drift, seconds)
                case Finished():
                    finished = event
        if finished.stopped:
            return
        spared = self.feature_cache.seconds_saved - saved
        logits = compute_logits(model, torch.from_numpy(model.encode(rows.test.texts)))
        self.inspect(attempt, model)
        yield AttemptEnded(
            attempt=attempt,
            best_epoch=finished.best_epoch,
            predicted={task.name: _predicted(task, logits[task.name]) for task in model.tasks},
            test=score_tasks(logits, rows.test, model.tasks),
            parameters=sum(group.trained for group in started.groups),
            drift=drifts[finished.best_epoch],
            seconds=round(finished.seconds + spared, 2),
            spared=round(spared, 2),
            rows=rows.judged,
        )


def _predicted(task: Task, logits: Tensor) -> tuple[int, ...]:
    return predicted_values(task, probabilities(task, logits).numpy())


def _is_trainable(rounds: Iterable[AttemptRows], task: str | None) -> bool:
    """Return whether the rows suffice for a task alone; None stands for all tasks, which have been checked."""
    if task is None:
        return True
    try:
        for rows in rounds:
            check_trainable(only_task(rows.train, task))
    except DataError:
        return False
    return True


class _InitialWeights:
    """The weights of an encoder as they are now, to go back to."""

    def __init__(self, encoder: Encoder) -> None:
        self._weights = {parameter: parameter.detach().clone() for parameter in encoder.backbone.parameters()}

    @torch.no_grad()
    def restore(self) -> None:
        for parameter, weight in self._weights.items():
            if not torch.equal(parameter, weight):  # else embeddings stay cached
                parameter.copy_(weight)
            parameter.requires_grad_()
