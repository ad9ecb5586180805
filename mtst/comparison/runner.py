"""Train every scenario on the same rows, and judge all by test rows that none of them has seen."""

import time
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mtst.comparison.events import Attempt, AttemptEnded, AttemptEpoch, Compared, ComparisonEvent, ComparisonStarted
from mtst.comparison.learning_curve import learning_curve
from mtst.data.dataset import Dataset
from mtst.data.split import check_trainable
from mtst.encoders.encoder import Encoder
from mtst.errors import DataError
from mtst.evaluation.baselines import logistic, majority
from mtst.evaluation.metrics import compute_logits, score_tasks
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training.config import TrainConfig, split
from mtst.training.distributed import SINGLE_PROCESS
from mtst.training.engine.feature_cache import FeatureCache, compute_pooled
from mtst.training.events import Embedded, EpochEnded, Finished, Started
from mtst.training.fitting import fit

TEST_SHARE = 0.2


@dataclass(frozen=True)
class _Rows:
    """The rows of a comparison: to learn from, to choose epochs by, and to judge by."""

    train: Dataset
    validation: Dataset
    test: Dataset

    def for_task(self, task: str | None) -> "_Rows":
        """Return the same rows with the labels of one task; with all of them for None."""
        return _Rows(_for_task(self.train, task), _for_task(self.validation, task), _for_task(self.test, task))


def compare_scenarios(
    encoder: Encoder,
    data: Dataset,
    config: TrainConfig,
    attempts: Sequence[Attempt],
    *,
    test: Dataset | None = None,
    done: Collection[Attempt] = (),
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[ComparisonEvent | Embedded]:
    """Run attempts one after another, event by event; the encoder is left as it was.

    The rows are split once, by `config.seed`: into those to learn from, those by which each attempt chooses its epoch,
    and those by which all are judged. What several attempts need of the frozen encoder is computed once.

    Args:
        encoder: the encoder that every attempt begins with.
        data: all rows.
        config: the settings of all attempts, but for scenario and seed.
        attempts: what to try, as `plan_attempts` returns it; a task that has too few rows to be learnt alone is not.
        test: rows to judge by; without, a fifth of `data`, up to 1,000 rows, is taken.
        done: attempts that have ended already and are left out.
        should_stop: asked once a step; when it returns True, the comparison ends without the attempt in progress.

    Raises:
        DataError: there is too little to learn from and to judge by.
        SettingsError: a scenario cannot be followed with this config.
        ModelError: a loss stops being a number.
    """
    start = time.perf_counter()
    rows = _split(data, config, test)
    attempts = [attempt for attempt in attempts if _is_trainable(rows.train, attempt.task)]
    feature_cache, initial_weights = FeatureCache(), _InitialWeights(encoder)
    stopped = False
    if not done:
        for event in _begin(encoder, rows, attempts, feature_cache, start):
            yield event
            if stopped := should_stop():
                break
    for attempt in attempts:
        if stopped:
            break
        if attempt in done:
            continue
        try:
            ended = yield from _attempt(
                encoder, attempt, config, rows.for_task(attempt.task), feature_cache, should_stop
            )
        finally:
            initial_weights.restore()
        if ended:
            yield ended
        stopped = ended is None or should_stop()
    yield Compared(stopped, round(time.perf_counter() - start, 2))


def _split(data: Dataset, config: TrainConfig, test: Dataset | None) -> _Rows:
    if test is None:
        data, test = split(data, replace(config, validation_share=TEST_SHARE))
    elif not any(sum(test.counts(task).values()) for task in test.tasks):
        raise DataError("None of the rows to judge by has a label. Give a file with the same columns of labels.")
    check_trainable(data)
    return _Rows(*split(data, config), test)


def _begin(
    encoder: Encoder, rows: _Rows, attempts: Sequence[Attempt], feature_cache: FeatureCache, start: float
) -> Iterator[ComparisonEvent | Embedded]:
    """Pass all sentences through the encoder, and measure what is reached without training it."""
    texts = (rows.validation.texts, rows.train.texts)
    _, train_features = yield from feature_cache.compute(encoder, texts, None, start, SINGLE_PROCESS)
    (test_embeddings,) = yield from compute_pooled(encoder, (rows.test.texts,), start, SINGLE_PROCESS)
    train = train_features.batch(range(len(rows.train))).cpu().numpy()
    test = test_embeddings.cpu().numpy()
    yield ComparisonStarted(
        attempts=tuple(attempts),
        tasks=rows.train.tasks,
        train_rows=len(rows.train),
        validation_rows=len(rows.validation),
        truth=dict(rows.test.labels),
        majority=majority(rows.train, rows.test),
        logistic=logistic(rows.train, train, rows.test, test),
        precision=encoder.precision,
        seconds=round(time.perf_counter() - start, 2),
    )
    yield learning_curve(rows.train, train, rows.test, test)


def _attempt(
    encoder: Encoder,
    attempt: Attempt,
    config: TrainConfig,
    rows: _Rows,
    feature_cache: FeatureCache,
    should_stop: Callable[[], bool],
) -> Generator[AttemptEpoch, None, AttemptEnded | None]:
    """Train and test one scenario; return None if it was stopped before its end."""
    spared_before = feature_cache.seconds_saved
    model = MultiTaskSentenceTransformer(encoder, rows.train.tasks)
    config = replace(config, scenario=attempt.scenario, seed=attempt.seed)
    drifts: list[float] = []
    for event in fit(
        model,
        rows.train,
        config,
        baselines=False,
        validation=rows.validation,
        feature_cache=feature_cache,
        should_stop=should_stop,
    ):
        match event:
            case Started():
                started = event
            case EpochEnded():
                drifts.append(event.drift)
                seconds = round(event.seconds + feature_cache.seconds_saved - spared_before, 2)
                yield AttemptEpoch(attempt, event.epoch, started.epochs, event.validation, event.drift, seconds)
            case Finished():
                finished = event
    if finished.stopped:
        return None
    spared = feature_cache.seconds_saved - spared_before
    logits = compute_logits(model, torch.from_numpy(model.encode(rows.test.texts)))
    return AttemptEnded(
        attempt=attempt,
        best_epoch=finished.best_epoch,
        predicted={name: _labels(values) for name, values in logits.items()},
        test=score_tasks(logits, rows.test),
        parameters=sum(group.trained for group in started.groups),
        drift=drifts[finished.best_epoch],
        seconds=round(finished.seconds + spared, 2),
        spared=round(spared, 2),
    )


def _labels(logits: Tensor) -> tuple[int, ...]:
    return tuple(logits.argmax(dim=1).tolist())


def _for_task(data: Dataset, name: str | None) -> Dataset:
    if name is None:
        return data
    return replace(
        data, tasks=tuple(task for task in data.tasks if task.name == name), labels={name: data.labels[name]}
    )


def _is_trainable(train: Dataset, task: str | None) -> bool:
    """Return whether the rows suffice for a task alone; None stands for all tasks, which have been checked."""
    if task is None:
        return True
    try:
        check_trainable(_for_task(train, task))
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
            parameter.copy_(weight)
            parameter.requires_grad_()
