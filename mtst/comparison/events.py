"""The events of a comparison of scenarios, which consists of attempts: one scenario trained once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mtst.data.dataset import Dataset
from mtst.data.tasks import Task
from mtst.errors import SettingsError
from mtst.evaluation.scores import Scores
from mtst.training.scenarios import find_scenario

MAX_SEEDS = 10


@dataclass(frozen=True)
class Attempt:
    """One scenario, trained with one seed; on one task alone, if `task` names it."""

    scenario: str
    seed: int
    task: str | None = None


@dataclass(frozen=True)
class ComparisonStarted:
    """The planned attempts, in their order, and the test rows that all of them are judged by.

    `truth[task.name]` has the label index of each test row, -1 where it has none. `majority` and `logistic` are scores
    on the test rows: of the most frequent label, and of a logistic regression on the embeddings of the initial encoder.
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
    """An attempt has ended: what its selected epoch predicts for the test rows, which no choice was made by.

    `predicted[task]` has the predicted label index of each test row. `parameters` counts those that trained. `drift` is
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
    kind: Literal["attempt ended"] = "attempt ended"


@dataclass(frozen=True)
class LearningCurve:
    """Mean macro-F1 over the tasks on the test rows, of a logistic regression on more and more training rows.

    `scores[k]` has one value for each draw of `rows[k]` rows. `projected` has for some larger numbers of rows the score
    by a power law fitted to them: the 5 %, 50 % and 95 % quantiles over draws; empty where none can be fitted.
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


def plan_attempts(scenarios: Sequence[str], seeds: int, data: Dataset, alone: str | None = None) -> tuple[Attempt, ...]:
    """Return what to try: all scenarios with one seed before any with the next.

    Args:
        scenarios: their keys.
        seeds: how many seeds, from 0 on.
        data: the rows.
        alone: a scenario in which each task is trained alone too, to see whether learning together helps; it is tried
            with all tasks in any case.

    Raises:
        SettingsError: there is no such scenario, none at all, or too many seeds.
    """
    if not scenarios or not 1 <= seeds <= MAX_SEEDS:
        raise SettingsError(f"Compare at least one scenario, with 1 to {MAX_SEEDS} seeds, not {seeds!r}.")
    keys = dict.fromkeys(scenarios)
    for key in (*keys, alone) if alone else keys:
        find_scenario(key, data.tasks)
    attempts: list[Attempt] = []
    for seed in range(seeds):
        if alone and len(data.tasks) > 1:
            attempts += [Attempt(key, seed) for key in dict.fromkeys((*keys, alone))]
            attempts += [Attempt(alone, seed, task.name) for task in data.tasks]
        else:
            attempts += [Attempt(key, seed) for key in keys]
    return tuple(attempts)


ComparisonEvent = ComparisonStarted | AttemptEpoch | AttemptEnded | LearningCurve | Compared
