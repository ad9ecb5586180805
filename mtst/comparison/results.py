"""The results of a comparison, folded from its events: one for each scenario, over its seeds and folds."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from statistics import mean

from mtst.comparison.bootstrap import Prediction, macro_f1_by_task
from mtst.comparison.events import (
    Attempt,
    AttemptEnded,
    AttemptEpoch,
    Compared,
    ComparisonEvent,
    ComparisonStarted,
    Dropped,
    LearningCurve,
)
from mtst.data.tasks import Task
from mtst.errors import RunError
from mtst.training.events import Failed, Resumed, TrainingEvent
from mtst.training.scenarios import find_scenario

ZERO_SHOT = "freeze-all"


Rounds = frozenset[tuple[int, int]]  # seeds and folds


@dataclass(frozen=True)
class ScenarioResult:
    """One scenario over its seeds; scores are macro-F1 on the rows that judge it, between 0 and 1.

    `scores` has a mean over tasks for each seed, `tasks` a mean over seeds for each task. `seconds` is what one attempt
    costs by itself. `drift` is that of the encoder. `frozen_heads` says of the heads that did not learn how their
    score changed from before training. `share` is how much of the planned attempts it is judged by; below 1 if it was
    stopped early or is not done.
    """

    scenario: str
    scores: tuple[float, ...]
    tasks: dict[str, float]
    seconds: float
    parameters: int
    drift: float
    frozen_heads: dict[str, float]
    share: float = 1.0

    @property
    def score(self) -> float:
        return mean(self.scores)

    @property
    def spread(self) -> float | None:
        """The distance between the best and the worst seed; None with one."""
        return max(self.scores) - min(self.scores) if len(self.scores) > 1 else None


class Comparison:
    """The state of a comparison, folded from its events.

    Attributes:
        epochs: the epochs of all attempts.
        ended: the attempts that have ended.
        dropped: the scenarios that were stopped early, by key.
        learning_curve: None until it has been measured.
    """

    def __init__(self) -> None:
        self.epochs: list[AttemptEpoch] = []
        self.ended: list[AttemptEnded] = []
        self.dropped: dict[str, Dropped] = {}
        self.learning_curve: LearningCurve | None = None
        self._started: ComparisonStarted | None = None
        self._end: Compared | Failed | None = None

    def extend(self, events: Iterable[ComparisonEvent | TrainingEvent]) -> None:
        """Add events; those of a training run are ignored."""
        for event in events:
            match event:
                case ComparisonStarted():
                    self._started = event
                case AttemptEpoch():
                    self.epochs.append(event)
                case AttemptEnded():
                    self.ended.append(event)
                case Dropped():
                    self.dropped[event.scenario] = event
                case LearningCurve():
                    self.learning_curve = event
                case Compared() | Failed():
                    self._end = event
                case Resumed():  # from the first attempt that had not ended
                    kept = {*self.completed, *(one for one in self.tried if one.scenario in self.dropped)}
                    self.epochs = [epoch for epoch in self.epochs if epoch.attempt in kept]
                    self._end = None

    def copy(self) -> "Comparison":
        """Return a comparison with the same events but for its end, to which others can be added."""
        other = copy(self)
        other._end = None
        other.epochs, other.ended, other.dropped = list(self.epochs), list(self.ended), dict(self.dropped)
        return other

    @property
    def has_started(self) -> bool:
        """Whether the baselines have been measured, so that `started` is there."""
        return self._started is not None

    @property
    def started(self) -> ComparisonStarted:
        if self._started is None:
            raise RunError("This comparison has not begun.")
        return self._started

    @property
    def is_over(self) -> bool:
        return self._end is not None

    @property
    def is_complete(self) -> bool:
        """Whether all attempts have ended."""
        return isinstance(self._end, Compared) and not self._end.stopped

    @property
    def seconds(self) -> float:
        """What the comparison took; 0 before its end."""
        return self._end.seconds if isinstance(self._end, Compared) else 0.0

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """The attempts that were planned and not called off; none before the start."""
        if not self._started:
            return ()
        completed = self.completed
        return tuple(one for one in self._started.attempts if one in completed or one.scenario not in self.dropped)

    @property
    def tried(self) -> set[Attempt]:
        """The attempts that have begun."""
        return {epoch.attempt for epoch in self.epochs} | self.completed

    @property
    def folds(self) -> int:
        """How many parts of the rows judge in turn; 1 if rows were set aside."""
        return self._started.folds if self._started else 1

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks; none before the start."""
        return self._started.tasks if self._started else ()

    @property
    def completed(self) -> set[Attempt]:
        """The attempts that have ended."""
        return {ended.attempt for ended in self.ended}

    @property
    def current(self) -> Attempt | None:
        """The attempt that is running; None before the first and after the last."""
        attempts = () if self.is_over else self.attempts
        return next((attempt for attempt in attempts if attempt not in self.completed), None)

    def ended_of(self, scenario: str, task: str | None = None) -> list[AttemptEnded]:
        """Return the attempts with a scenario that have ended, seed by seed; on one task alone, if it is named."""
        return [ended for ended in self.ended if (ended.attempt.scenario, ended.attempt.task) == (scenario, task)]

    def rounds_of(self, scenario: str, task: str | None = None) -> Rounds:
        """Return the seeds and folds that a scenario is judged by.

        A seed with some of its folds counts only where there is none with all, so that every row counts the same.
        """
        rounds = {ended.attempt.round for ended in self.ended_of(scenario, task)}
        return whole_seeds(rounds, self.folds)

    def predictions(self, scenario: str, rounds: Rounds, task: str | None = None) -> list[Prediction]:
        """Return what a scenario has predicted in some rounds: for each seed, its folds put together."""
        by_seed: dict[int, list[AttemptEnded]] = {}
        for ended in self.ended_of(scenario, task):
            if ended.attempt.round in rounds:
                by_seed.setdefault(ended.attempt.seed, []).append(ended)
        return [_together(attempts) for attempts in by_seed.values()]

    @property
    def results(self) -> list[ScenarioResult]:
        """The scenarios that have ended with one seed or more, in the order of the attempts."""
        keys = dict.fromkeys(attempt.scenario for attempt in self.attempts if attempt.task is None)
        return [self._result(key, ended) for key in keys if (ended := self.ended_of(key))]

    def _result(self, scenario: str, attempts: Sequence[AttemptEnded]) -> ScenarioResult:
        rounds = self.rounds_of(scenario)
        by_seed = [self._task_scores(one) for one in self.predictions(scenario, rounds)]
        planned = [one for one in self.started.attempts if (one.scenario, one.task) == (scenario, None)]
        return ScenarioResult(
            scenario=scenario,
            scores=tuple(mean(scores.values()) for scores in by_seed),
            tasks=_mean_over_seeds(by_seed),
            seconds=mean(ended.seconds for ended in attempts),
            parameters=attempts[0].parameters,
            drift=mean(ended.drift for ended in attempts),
            frozen_heads=self._frozen_heads(scenario, rounds),
            share=min(1.0, len(attempts) / max(1, len(planned))),
        )

    def _task_scores(self, prediction: Prediction) -> dict[str, float]:
        """Return the macro-F1 of each task that has a labelled row among those predicted."""
        if prediction.scores is not None:
            return {name: scores.macro_f1 for name, scores in prediction.scores.items()}
        return macro_f1_by_task(self.tasks, self.started.truth, prediction)

    def _frozen_heads(self, scenario: str, rounds: Rounds) -> dict[str, float]:
        """Return how the score of a head that stayed as it was has changed under an encoder that moved."""
        common = rounds & self.rounds_of(ZERO_SHOT)
        frozen = [task.name for task in self.tasks if scenario == f"freeze-head:{task.name}"]
        if not common or not frozen:
            return {}
        after, before = (
            _mean_over_seeds([self._task_scores(one) for one in self.predictions(key, common)])
            for key in (scenario, ZERO_SHOT)
        )
        return {name: after[name] - before[name] for name in frozen if name in before}

    def alone_and_together(self) -> dict[str, tuple[float, float]]:
        """Return for each task that was also trained alone its macro-F1 alone, and that of training all together."""
        scores = {}
        scenario = next((one.scenario for one in self.attempts if one.task), "")
        for task in self.tasks:
            common = self.rounds_of(scenario, task.name) & self.rounds_of(scenario)
            alone, together = (
                _mean_over_seeds([self._task_scores(one) for one in self.predictions(scenario, common, name)])
                for name in (task.name, None)
            )
            if task.name in alone and task.name in together:
                scores[task.name] = alone[task.name], together[task.name]
        return scores


def whole_seeds(rounds: Iterable[tuple[int, int]], folds: int) -> Rounds:
    """Return the rounds of those seeds that have all folds; all rounds if there is none."""
    counts = Counter(seed for seed, _ in rounds)
    return frozenset(one for one in rounds if counts[one[0]] == folds) or frozenset(rounds)


def _together(attempts: Sequence[AttemptEnded]) -> Prediction:
    """Put the predictions of the folds of a seed together."""
    if len(attempts) == 1:
        (one,) = attempts
        return Prediction(one.predicted, one.rows, one.test)
    labels = {name: tuple(label for one in attempts for label in one.predicted[name]) for name in attempts[0].predicted}
    return Prediction(labels, tuple(row for one in attempts for row in one.rows or ()))


def _mean_over_seeds(by_seed: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: mean(scores[name] for scores in by_seed) for name in (by_seed[0] if by_seed else ())}


def title_of(key: str, tasks: Sequence[Task]) -> str:
    """Return the name of a scenario."""
    return find_scenario(key, tasks).title
