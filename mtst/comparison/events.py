"""The events of a comparison of scenarios, which consists of attempts: one scenario trained once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Literal

from mtst.data.dataset import Dataset
from mtst.data.tasks import Task
from mtst.errors import SettingsError
from mtst.evaluation.scores import Scores
from mtst.training.scenarios import find_scenario

MAX_SEEDS = 10
DropReason = Literal["worse", "budget"]  # by more than chance; or there is not time for all


@dataclass(frozen=True)
class Attempt:
    """One scenario, trained with one seed; on one task alone, if `task` names it.

    In cross-validation, `fold` is the part of the rows that it does not learn from. Each seed has folds of its own.
    """

    scenario: str
    seed: int
    task: str | None = None
    fold: int = 0

    @property
    def round(self) -> tuple[int, int]:
        """What attempts of all scenarios have in common: the seed and the fold, so the rows."""
        return self.seed, self.fold


@dataclass(frozen=True)
class ComparisonStarted:
    """The planned attempts, in their order, and the rows that all of them are judged by.

    These are rows set aside, or with several folds all rows: each fold is predicted by what has learnt from the others.
    `truth[task.name]` has the label index of each, -1 where it has none. `majority` and `logistic` are scores on them:
    of the most frequent label, and of a logistic regression on the embeddings of the initial encoder. `costs` has the
    planned passes of a row through the encoder for an attempt with each scenario, `pace` how long one takes, in
    seconds. `race`: scenarios may be stopped early.
    """

    attempts: tuple[Attempt, ...]
    tasks: tuple[Task, ...]
    train_rows: int
    validation_rows: int
    truth: dict[str, tuple[int, ...]]
    majority: dict[str, Scores]
    logistic: dict[str, Scores]
    precision: Literal["bf16", "fp32"]
    seconds: float
    folds: int = 1
    costs: dict[str, float] = field(default_factory=dict)
    pace: float = 0.0
    race: bool = False
    kind: Literal["comparison"] = "comparison"


@dataclass(frozen=True)
class AttemptEpoch:
    """An attempt after an epoch: scores on the validation rows, by which it chooses its epoch.

    Seconds are what the attempt has taken so far, and what it saved because another attempt had done it.
    """

    attempt: Attempt
    epoch: int
    epochs: int
    validation: dict[str, Scores]
    drift: float
    seconds: float
    kind: Literal["attempt epoch"] = "attempt epoch"


@dataclass(frozen=True)
class AttemptEnded:
    """An attempt has ended: what its selected epoch predicts for its test rows, which no choice was made by.

    `predicted[task]` has the predicted label index of each of its test rows, `test` the scores on them. `rows` are the
    indices of these in `ComparisonStarted.truth`; None means all. `parameters` counts those that trained. `drift` is
    how far the encoder has turned the embeddings of the validation rows at the selected epoch. `seconds` is what the
    attempt costs by itself; `spared` of them were saved, because another attempt had done that part.
    """

    attempt: Attempt
    best_epoch: int
    predicted: dict[str, tuple[int, ...]]
    test: dict[str, Scores]
    parameters: int
    drift: float
    seconds: float
    spared: float
    rows: tuple[int, ...] | None = None
    kind: Literal["attempt ended"] = "attempt ended"


@dataclass(frozen=True)
class Dropped:
    """A scenario is stopped early: no attempt with it follows. See `mtst.comparison.race`.

    `score` is its mean macro-F1 so far, `leader` the scenario that is ahead of it and `leader_score` what that has: on
    the rows of the rounds that both have ended, or, if `epoch` is given, on the validation rows after that epoch of
    an attempt that was broken off. `rounds` counts the seeds and folds that it has ended.
    """

    scenario: str
    rounds: int
    score: float
    leader: str
    leader_score: float
    reason: DropReason
    epoch: int | None = None
    kind: Literal["dropped"] = "dropped"


@dataclass(frozen=True)
class LearningCurve:
    """Mean macro-F1 over the tasks on the test rows, of a logistic regression on more and more training rows.

    `scores[k]` has one value for each draw of `rows[k]` rows, or for each fold. `projected` has for some larger numbers
    of rows the score by a power law fitted to them: the 5 %, 50 % and 95 % quantiles over draws; empty where none can
    be fitted.
    """

    rows: tuple[int, ...]
    scores: tuple[tuple[float, ...], ...]
    projected: dict[int, tuple[float, float, float]]
    seconds: float
    kind: Literal["learning curve"] = "learning curve"


@dataclass(frozen=True)
class Compared:
    """All attempts have ended, or the comparison was stopped."""

    stopped: bool
    seconds: float
    kind: Literal["compared"] = "compared"


def check_comparison(scenarios: Sequence[str], seeds: int, tasks: Sequence[Task], alone: str | None) -> None:
    """Check that these scenarios can be compared on these tasks.

    Raises:
        SettingsError: there is no such scenario, none at all, or too many seeds.
    """
    if not scenarios or not 1 <= seeds <= MAX_SEEDS:
        raise SettingsError(f"Compare at least one scenario, with 1 to {MAX_SEEDS} seeds, not {seeds!r}.")
    for key in (*scenarios, alone) if alone else scenarios:
        find_scenario(key, tasks)


def plan_attempts(
    scenarios: Sequence[str], seeds: int, data: Dataset, alone: str | None = None, folds: int = 1
) -> tuple[Attempt, ...]:
    """Return what to try: all scenarios with one seed on one fold before any with the next.

    Args:
        scenarios: their keys.
        seeds: how many seeds, from 0 on.
        data: the rows.
        alone: a scenario in which each task is trained alone too, to see whether learning together helps; it is tried
            with all tasks in any case.
        folds: how many parts of the rows judge in turn; see `mtst.comparison.rows.count_folds`.

    Raises:
        SettingsError: there is no such scenario, none at all, or too many seeds.
    """
    check_comparison(scenarios, seeds, data.tasks, alone)
    keys = dict.fromkeys(scenarios)
    attempts: list[Attempt] = []
    for seed, fold in product(range(seeds), range(folds)):
        if alone and len(data.tasks) > 1:
            attempts += [Attempt(key, seed, fold=fold) for key in dict.fromkeys((*keys, alone))]
            attempts += [Attempt(alone, seed, task.name, fold) for task in data.tasks]
        else:
            attempts += [Attempt(key, seed, fold=fold) for key in keys]
    return tuple(attempts)


ComparisonEvent = ComparisonStarted | AttemptEpoch | AttemptEnded | Dropped | LearningCurve | Compared
