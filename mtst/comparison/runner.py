"""What should I freeze: every scenario on the same rows, judged by rows that none of them has chosen by."""

import time
from collections.abc import Collection, Generator, Sequence
from dataclasses import replace

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
from mtst.training.engine.feature_cache import FeatureCache, compute_features
from mtst.training.events import EpochEnded, Finished, Started, TrainingEvent
from mtst.training.fitting import fit

TEST_SHARE = 0.2
ProgressCallback = Generator[ComparisonEvent | TrainingEvent | None, bool | None, bool]


def compare_scenarios(
    encoder: Encoder,
    data: Dataset,
    config: TrainConfig,
    wanted: Sequence[Attempt],
    *,
    test: Dataset | None = None,
    done: Collection[Attempt] = (),
) -> Generator[ComparisonEvent | TrainingEvent | None, bool | None, None]:
    """Make attempts one after another and tell what happens; the encoder is as it was in the end.

    The rows are split once, by `config.seed`: into those to learn from, those by which each attempt chooses its epoch,
    and those by which all are judged. What several attempts need of the frozen encoder is computed once. None is
    yielded where there is nothing to say but the one who listens may ask to stop, by `send(True)`.

    Args:
        encoder: the encoder that every attempt begins with.
        data: all rows.
        config: the settings of all attempts, but for scenario and seed.
        wanted: what to try, as `attempts` returns it; a task that has too few rows to be learnt alone is not.
        test: rows to judge by; without, a fifth of `data`, up to 1,000 rows, is taken.
        done: attempts that were made already and are left out.

    Raises:
        DataError: there is too little to learn from and to judge by.
        SettingsError: a scenario cannot be followed with this config.
        ModelError: a loss stops being a number.
    """
    start = time.perf_counter()
    if test is None:
        data, test = split(data, replace(config, validation_share=TEST_SHARE))
    elif not any(sum(test.counts(task).values()) for task in test.tasks):
        raise DataError("None of the rows to judge by has a label. Give a file with the same columns of labels.")
    check_trainable(data)
    train, held_out = split(data, config)
    wanted = [attempt for attempt in wanted if _can_be_learnt(train, attempt.task)]
    shared, pristine = FeatureCache(), _InitialWeights(encoder)
    stopped = False if done else (yield from _begin(encoder, train, held_out, test, shared, wanted, start))
    for attempt in wanted:
        if stopped or attempt in done:
            continue
        rows = [_only(part, attempt.task) for part in (train, held_out, test)]
        try:
            stopped = yield from _try(encoder, attempt, config, *rows, shared)
        finally:
            pristine.restore()
    yield Compared(bool(stopped), round(time.perf_counter() - start, 2))


def _begin(
    encoder: Encoder,
    train: Dataset,
    held_out: Dataset,
    test: Dataset,
    shared: FeatureCache,
    wanted: Sequence[Attempt],
    start: float,
) -> ProgressCallback:
    """Pass all sentences through the encoder, and say what is reached without training it."""
    made = yield from shared.prepare(encoder, (held_out.texts, train.texts), None, start, SINGLE_PROCESS)
    judged = (yield from compute_features(encoder, (test.texts,), None, start, SINGLE_PROCESS)) if made else None
    if made is None or judged is None:
        return True
    rows, others = made[1].embeddings.cpu().numpy(), judged[0].embeddings.cpu().numpy()
    stopped = yield ComparisonStarted(
        attempts=tuple(wanted),
        tasks=train.tasks,
        train_rows=len(train),
        validation_rows=len(held_out),
        truth=dict(test.labels),
        majority=majority(train, test),
        logistic=logistic(train, rows, test, others),
        precision=encoder.precision,
        seconds=round(time.perf_counter() - start, 2),
    )
    return bool(stopped) or bool((yield learning_curve(train, rows, test, others)))


def _try(
    encoder: Encoder,
    attempt: Attempt,
    config: TrainConfig,
    train: Dataset,
    held_out: Dataset,
    test: Dataset,
    shared: FeatureCache,
) -> ProgressCallback:
    """Make one attempt; return whether it was stopped, after which nothing is said of it."""
    before = shared.spared
    model = MultiTaskSentenceTransformer(encoder, train.tasks)
    settings = replace(config, scenario=attempt.scenario, seed=attempt.seed)
    events = fit(model, train, settings, baselines=False, held_out=held_out, shared=shared)
    told: list[EpochEnded] = []
    event = next(events)
    started: Started = event
    while not isinstance(event, Finished):
        fresh = None
        if isinstance(event, EpochEnded):
            told.append(event)
            seconds = round(event.seconds + shared.spared - before, 2)
            fresh = AttemptEpoch(attempt, event.epoch, started.epochs, event.validation, event.drift, seconds)
        if (yield fresh):
            events.close()
            return True
        event = next(events)
    spared = shared.spared - before
    logits = compute_logits(model, torch.from_numpy(model.encode(test.texts)))
    stopped = yield AttemptEnded(
        attempt=attempt,
        best_epoch=event.best_epoch,
        predicted={name: _labels(values) for name, values in logits.items()},
        test=score_tasks(logits, test),
        parameters=sum(group.parameters for group in started.groups if group.open),
        drift=next(ended.drift for ended in told if ended.epoch == event.best_epoch),
        seconds=round(event.seconds + spared, 2),
        spared=round(spared, 2),
    )
    return bool(stopped)


def _labels(logits: Tensor) -> tuple[int, ...]:
    return tuple(logits.argmax(dim=1).tolist())


def _only(data: Dataset, task: str | None) -> Dataset:
    """Return the same rows with the labels of one task, or as they are."""
    if task is None:
        return data
    tasks = tuple(each for each in data.tasks if each.name == task)
    return replace(data, tasks=tasks, labels={task: data.labels[task]})


def _can_be_learnt(train: Dataset, task: str | None) -> bool:
    """Tell whether the rows suffice for a task alone; None stands for all tasks, which have been checked."""
    if task is None:
        return True
    try:
        check_trainable(_only(train, task))
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
            parameter.requires_grad_(True)
