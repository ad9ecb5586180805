"""A comparison of scenarios as its events tell it: a row for each scenario, over its seeds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
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
        """The distance between the best and the worst seed; nothing with one."""
        return max(self.scores) - min(self.scores) if len(self.scores) > 1 else None


@dataclass(eq=False)
class Comparison:
    """A comparison as its events tell it."""

    started: ComparisonStarted | None = None
    epochs: list[AttemptEpoch] = field(default_factory=list)
    ended: list[AttemptEnded] = field(default_factory=list)
    learning: LearningCurve | None = None
    compared: Compared | None = None
    failed: Failed | None = None

    def extend(self, events: Iterable[ComparisonEvent | TrainingEvent]) -> None:
        """Take in what happened next."""
        for event in events:
            match event:
                case ComparisonStarted():
                    self.started = event
                case AttemptEpoch():
                    self.epochs.append(event)
                case AttemptEnded():
                    self.ended.append(event)
                case LearningCurve():
                    self.learning = event
                case Compared():
                    self.compared = event
                case Failed():
                    self.failed = event
                case Resumed():  # it goes on with the first attempt that had not ended
                    self.epochs = [epoch for epoch in self.epochs if epoch.attempt in self.made]
                    self.compared = self.failed = None

    @property
    def over(self) -> bool:
        return bool(self.compared or self.failed)

    @property
    def made(self) -> set[Attempt]:
        """The attempts that have ended."""
        return {ended.attempt for ended in self.ended}

    @property
    def running(self) -> Attempt | None:
        """The attempt that is being made."""
        wanted = self.started.attempts if self.started and not self.over else ()
        return next((attempt for attempt in wanted if attempt not in self.made), None)

    def attempts_of(self, scenario: str, task: str | None = None) -> list[AttemptEnded]:
        """Return what has ended of a scenario, seed by seed."""
        return [one for one in self.ended if (one.attempt.scenario, one.attempt.task) == (scenario, task)]

    @property
    def rows(self) -> list[ScenarioResult]:
        """The scenarios that have ended with a seed or more, in the order of the attempts."""
        wanted = self.started.attempts if self.started else ()
        keys = dict.fromkeys(attempt.scenario for attempt in wanted if attempt.task is None)
        return [self._row(key, found) for key in keys if (found := self.attempts_of(key))]

    def _row(self, scenario: str, found: Sequence[AttemptEnded]) -> ScenarioResult:
        names = [task.name for task in self.started.tasks if task.name in found[0].test]
        return ScenarioResult(
            scenario=scenario,
            scores=tuple(mean_macro_f1(one.test) for one in found),
            tasks={name: mean(one.test[name].macro_f1 for one in found) for name in names},
            seconds=mean(one.seconds for one in found),
            parameters=found[0].parameters,
            drift=mean(one.drift for one in found),
            frozen_heads=self._frozen_heads(scenario, found),
        )

    def _frozen_heads(self, scenario: str, found: Sequence[AttemptEnded]) -> dict[str, float]:
        """Return how the score of a head that stayed as it was has changed under an encoder that moved."""
        before = self.attempts_of(ZERO_SHOT)
        then = before[0].test if before else {}  # without the tasks that no test row has a label for
        names = [task.name for task in self.started.tasks if scenario == f"freeze-head:{task.name}"]
        return {
            name: mean(one.test[name].macro_f1 for one in found) - then[name].macro_f1 for name in names if name in then
        }

    def alone(self) -> dict[str, tuple[float, float]]:
        """Return for each task that was also trained alone its macro-F1 alone, and that of learning together."""
        found = {}
        for task in self.started.tasks if self.started else ():
            single = [one for one in self.ended if one.attempt.task == task.name and task.name in one.test]
            if not single:
                continue
            joint = [one for one in self.attempts_of(single[0].attempt.scenario) if task.name in one.test]
            if joint:
                found[task.name] = tuple(mean(one.test[task.name].macro_f1 for one in side) for side in (single, joint))
        return found


def title_of(key: str, tasks: Sequence[Task]) -> str:
    """Return the name of a scenario."""
    return find_scenario(key, tasks).title
