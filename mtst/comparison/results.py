"""The results of a comparison, folded from its events: one for each scenario, over its seeds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import mean

from mtst.comparison.events import (
    Attempt,
    AttemptEnded,
    AttemptEpoch,
    Compared,
    ComparisonEvent,
    ComparisonStarted,
    LearningCurve,
)
from mtst.data.tasks import Task
from mtst.errors import RunError
from mtst.evaluation.scores import mean_macro_f1
from mtst.training.events import Failed, Resumed, TrainingEvent
from mtst.training.scenarios import find_scenario

ZERO_SHOT = "freeze-all"


@dataclass(frozen=True)
class ScenarioResult:
    """One scenario over its seeds; scores are macro-F1 on the test rows, between 0 and 1.

    `scores` has a mean over tasks for each seed, `tasks` a mean over seeds for each task. `seconds` is what one attempt
    costs by itself. `drift` is that of the encoder. `frozen_heads` says of the heads that did not learn how their
    score changed from before training.
    """

    scenario: str
    scores: tuple[float, ...]
    tasks: dict[str, float]
    seconds: float
    parameters: int
    drift: float
    frozen_heads: dict[str, float]

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
        learning_curve: None until it has been measured.
    """

    def __init__(self) -> None:
        self.epochs: list[AttemptEpoch] = []
        self.ended: list[AttemptEnded] = []
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
                case LearningCurve():
                    self.learning_curve = event
                case Compared() | Failed():
                    self._end = event
                case Resumed():  # from the first attempt that had not ended
                    self.epochs = [epoch for epoch in self.epochs if epoch.attempt in self.completed]
                    self._end = None

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
        """The planned attempts; none before the start."""
        return self._started.attempts if self._started else ()

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

    @property
    def results(self) -> list[ScenarioResult]:
        """The scenarios that have ended with one seed or more, in the order of the attempts."""
        keys = dict.fromkeys(attempt.scenario for attempt in self.attempts if attempt.task is None)
        return [self._result(key, ended) for key in keys if (ended := self.ended_of(key))]

    def _result(self, scenario: str, seeds: Sequence[AttemptEnded]) -> ScenarioResult:
        names = [task.name for task in self.tasks if task.name in seeds[0].test]
        return ScenarioResult(
            scenario=scenario,
            scores=tuple(mean_macro_f1(ended.test) for ended in seeds),
            tasks={name: mean(ended.test[name].macro_f1 for ended in seeds) for name in names},
            seconds=mean(ended.seconds for ended in seeds),
            parameters=seeds[0].parameters,
            drift=mean(ended.drift for ended in seeds),
            frozen_heads=self._frozen_heads(scenario, seeds),
        )

    def _frozen_heads(self, scenario: str, seeds: Sequence[AttemptEnded]) -> dict[str, float]:
        """Return how the score of a head that stayed as it was has changed under an encoder that moved."""
        zero_shot = self.ended_of(ZERO_SHOT)
        before = zero_shot[0].test if zero_shot else {}  # without the tasks that no test row has a label for
        frozen = [task.name for task in self.tasks if scenario == f"freeze-head:{task.name}" and task.name in before]
        return {name: mean(ended.test[name].macro_f1 for ended in seeds) - before[name].macro_f1 for name in frozen}

    def alone_and_together(self) -> dict[str, tuple[float, float]]:
        """Return for each task that was also trained alone its macro-F1 alone, and that of training all together."""
        scores = {}
        for task in self.tasks:
            alone = [ended for ended in self.ended if ended.attempt.task == task.name and task.name in ended.test]
            if not alone:
                continue
            together = [ended for ended in self.ended_of(alone[0].attempt.scenario) if task.name in ended.test]
            if together:
                scores[task.name] = _macro_f1(alone, task), _macro_f1(together, task)
        return scores


def _macro_f1(seeds: Sequence[AttemptEnded], task: Task) -> float:
    return mean(ended.test[task.name].macro_f1 for ended in seeds)


def title_of(key: str, tasks: Sequence[Task]) -> str:
    """Return the name of a scenario."""
    return find_scenario(key, tasks).title
