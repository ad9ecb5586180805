"""Which rows an attempt learns from, chooses its epoch by and is judged by: rows set aside once, or folds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from mtst.comparison.events import Attempt, check_comparison, plan_attempts
from mtst.data.dataset import Dataset
from mtst.data.folds import stratified_folds
from mtst.data.split import check_trainable
from mtst.errors import DataError
from mtst.training.config import TrainConfig, split

TEST_SHARE = 0.2
FOLDS = 5
MAX_FOLD_ROWS = 1_000  # from here on a fifth of the rows judges well enough, and five times the training is too much


@dataclass(frozen=True)
class AttemptRows:
    """The rows of an attempt; `judged` are the indices of `test` among all rows that judge."""

    train: Dataset
    validation: Dataset
    test: Dataset
    judged: tuple[int, ...]

    def for_task(self, task: str | None) -> "AttemptRows":
        """Return the same rows with the labels of one task; with all of them for None."""
        parts = (self.train, self.validation, self.test)
        train, validation, test = (only_task(part, task) for part in parts)
        return AttemptRows(train, validation, test, self.judged)


class RowPlan:
    """The rows of all attempts of a comparison.

    Without folds, one part of the rows is set aside for all. With folds, each seed divides the rows anew.

    Args:
        data: all rows.
        config: its seed fixes every division.
        folds: how many; 1 for none.
        test: rows to judge by instead of a part of `data`; then there are no folds.

    Attributes:
        learning: all rows that attempts learn from or choose their epoch by.
        judging: all rows that judge an attempt: the test rows, or with folds all rows.
        folds: how many.

    Raises:
        DataError: there is too little to learn from or to judge by.
    """

    def __init__(self, data: Dataset, config: TrainConfig, folds: int = 1, test: Dataset | None = None) -> None:
        self._config, self._test, self.folds = config, test, folds
        if folds > 1:
            self.judging = data
        elif test is None:
            data, self.judging = split(data, replace(config, validation_share=TEST_SHARE))
        elif any(sum(test.counts(task).values()) for task in test.tasks):
            self.judging = test
        else:
            raise DataError("None of the rows to judge by has a label. Give a file with the same columns of labels.")
        check_trainable(data)
        self.learning = data
        self._folds = lru_cache(maxsize=None)(self._divide_in_folds)
        self._of = lru_cache(maxsize=None)(self._divide)

    def of(self, attempt: Attempt) -> AttemptRows:
        """Return the rows of an attempt."""
        seed, fold = attempt.round if self.folds > 1 else (0, 0)
        return self._of(seed, fold).for_task(attempt.task)

    def _divide(self, seed: int, fold: int) -> AttemptRows:
        if self.folds == 1:
            return AttemptRows(*split(self.learning, self._config), self.judging, tuple(range(len(self.judging))))
        seed += self._config.seed
        folds = self._folds(seed)
        rest = self.learning.take(sorted(row for k, rows in enumerate(folds) if k != fold for row in rows))
        check_trainable(rest)
        parts = split(rest, replace(self._config, seed=seed))
        return AttemptRows(*parts, self.learning.take(folds[fold]), tuple(folds[fold]))

    def _divide_in_folds(self, seed: int) -> list[list[int]]:
        return stratified_folds(self.learning, self.folds, seed)


def plan_comparison(
    data: Dataset,
    config: TrainConfig,
    scenarios: Sequence[str],
    seeds: int,
    *,
    alone: str | None = None,
    test: Dataset | None = None,
) -> tuple[Attempt, ...]:
    """Return the attempts of a comparison, with as many folds as suit the rows.

    Args:
        data: all rows.
        config: its seed fixes the folds.
        scenarios: their keys.
        seeds: how often the rows are divided, and every scenario trained.
        alone: a scenario in which each task is trained alone too.
        test: rows to judge by, if there are any.

    Raises:
        SettingsError: there is no such scenario, none at all, or too many seeds.
    """
    check_comparison(scenarios, seeds, data.tasks, alone)
    return plan_attempts(scenarios, seeds, data, alone, count_folds(data, config, seeds, test))


def count_folds(data: Dataset, config: TrainConfig, seeds: int, test: Dataset | None = None) -> int:
    """Return how many folds the rows are compared in; 1 means that some are set aside instead.

    Args:
        data: all rows.
        config: its seed fixes the folds.
        seeds: how often the rows are divided.
        test: rows to judge by, if there are any.
    """
    if test is not None or len(data) >= MAX_FOLD_ROWS:
        return 1
    rounds = [Attempt("", seed, fold=fold) for seed in range(seeds) for fold in range(FOLDS)]
    try:
        plan = RowPlan(data, config, FOLDS)
        if not all(plan.of(attempt).judged for attempt in rounds):
            return 1
    except DataError:  # so few rows that those outside a fold cannot be learnt from
        return 1
    return FOLDS


def only_task(data: Dataset, name: str | None) -> Dataset:
    """Return a dataset with the labels of one task; as it is for None."""
    if name is None:
        return data
    tasks = tuple(task for task in data.tasks if task.name == name)
    return replace(data, tasks=tasks, labels={name: data.labels[name]})
