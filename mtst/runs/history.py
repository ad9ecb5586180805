"""A run as its events tell it: its state, its progress, its scores. Everything drawn or said about a run reads this."""

from collections.abc import Iterable

from mtst.comparison.events import Compared
from mtst.comparison.results import Comparison
from mtst.data.tasks import Task
from mtst.errors import RunError
from mtst.evaluation.scores import Scores
from mtst.runs.event_log import RunEvent
from mtst.runs.progress import remaining_seconds
from mtst.runs.state import RunEnd, Running, RunState, Waiting
from mtst.training.epoch_selection import EpochSelection
from mtst.training.events import (
    Baselines,
    Embedded,
    EpochEnded,
    Failed,
    Finished,
    GroupPlan,
    Opened,
    RatesFound,
    RateTried,
    Resumed,
    Started,
    StepEnded,
)


class History:
    """The events of a run so far.

    What has not happened is empty, or refused: `started`, `finished`, `failed`, `rates_found`, `best` and
    `highest_scoring` raise `RunError` unless the run has them. Ask `state` or the `has_` and `is_` properties before.

    Attributes:
        embedded: how many sentences the frozen part has read, if it has begun to.
        baselines: scores without training, if they were measured.
        opened: the layer groups opened after the start.
        epochs: the epochs that have ended; epoch 0 is the model before training.
        tried: the steps of the rate finder.
    """

    def __init__(self, events: Iterable[RunEvent] = ()) -> None:
        self.embedded: Embedded | None = None
        self.baselines: Baselines | None = None
        self.opened: list[Opened] = []
        self.steps: list[StepEnded] = []
        self.epochs: list[EpochEnded] = []
        self.tried: list[RateTried] = []
        self.comparison = Comparison()
        self._started: Started | None = None
        self._end: RunEnd | None = None
        self._is_waiting = True
        self.extend(events)

    def extend(self, events: Iterable[RunEvent]) -> None:
        """Add the events that came next."""
        for event in events:
            self._is_waiting = isinstance(event, Resumed)
            self.comparison.extend([event])  # takes what concerns it
            if isinstance(event, RunEnd):
                self._end = event
            else:
                self._add(event)

    def _add(self, event: RunEvent) -> None:
        match event:
            case Started():
                self._started = event
            case Embedded():
                self.embedded = event
            case Baselines():
                self.baselines = event
            case Opened():
                self.opened.append(event)
            case StepEnded():
                self.steps.append(event)
            case EpochEnded():
                self.epochs.append(event)
            case RateTried():
                self.tried.append(event)
            case Resumed():
                self._rewind(event)

    def _rewind(self, resumed: Resumed) -> None:
        """Drop what came after the epoch that the run resumes from; everything, if it begins again."""
        self._end = None
        self.opened = [event for event in self.opened if event.epoch <= resumed.epoch]
        self.steps = [event for event in self.steps if event.step <= resumed.step]
        self.epochs = [event for event in self.epochs if event.epoch <= resumed.epoch]
        if not resumed.epoch:
            self._started = self.embedded = self.baselines = None
            self.opened, self.steps, self.epochs, self.tried = [], [], [], []

    @property
    def state(self) -> RunState:
        if self._end:
            return self._end
        return Waiting() if self._is_waiting else Running(self._is_validating)

    @property
    def _is_validating(self) -> bool:
        if not self._started or not self.steps:
            return False
        validated = self.epochs[-1].step if self.epochs else 0
        return self.steps[-1].step - validated == self._started.steps // max(1, self._started.epochs)

    @property
    def is_waiting(self) -> bool:
        return isinstance(self.state, Waiting)

    @property
    def is_over(self) -> bool:
        return self._end is not None

    @property
    def is_finished(self) -> bool:
        """Whether a training run has come to its end, or was stopped, with a model."""
        return isinstance(self._end, Finished)

    @property
    def has_failed(self) -> bool:
        return isinstance(self._end, Failed)

    @property
    def has_found_rates(self) -> bool:
        return isinstance(self._end, RatesFound)

    @property
    def is_resumable(self) -> bool:
        """Whether the run ended before it was complete."""
        return self.has_failed or (isinstance(self._end, Finished | Compared) and self._end.stopped)

    @property
    def outcome(self) -> str:
        """How the run ended, in a word: finished, stopped, failed, interrupted; or running."""
        match self._end:
            case Failed() as failed:
                return failed.state
            case Finished() | Compared() as end:
                return "stopped" if end.stopped else "finished"
            case RatesFound():
                return "finished"
        return "running"

    @property
    def has_started(self) -> bool:
        """Whether training, or a search for rates, has begun, so that `started` is there."""
        return self._started is not None

    @property
    def started(self) -> Started:
        if self._started is None:
            raise RunError("This run has not begun to train.")
        return self._started

    @property
    def finished(self) -> Finished:
        if not isinstance(self._end, Finished):
            raise RunError("This run has not finished.")
        return self._end

    @property
    def failed(self) -> Failed:
        if not isinstance(self._end, Failed):
            raise RunError("This run has not failed.")
        return self._end

    @property
    def rates_found(self) -> RatesFound:
        if not isinstance(self._end, RatesFound):
            raise RunError("This run has not found learning rates.")
        return self._end

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks; none before the start."""
        return self._started.tasks if self._started else ()

    @property
    def groups(self) -> tuple[GroupPlan, ...]:
        """The layer groups, bottom up; none before the start."""
        return self._started.groups if self._started else ()

    @property
    def total_epochs(self) -> int:
        """The planned epochs; 0 before the start."""
        return self._started.epochs if self._started else 0

    @property
    def total_steps(self) -> int:
        """The planned steps; 0 before the start."""
        return self._started.steps if self._started else 0

    @property
    def is_zero_shot(self) -> bool:
        """Whether no head has learned before this run."""
        return self._started is None or self._started.zero_shot

    @property
    def last_epoch(self) -> int:
        """The number of the last epoch that has ended."""
        return self.epochs[-1].epoch if self.epochs else 0

    @property
    def last_step(self) -> int:
        """The number of the last step that was taken."""
        return self.steps[-1].step if self.steps else 0

    @property
    def elapsed(self) -> float:
        """Seconds of training so far."""
        if isinstance(self._end, Finished | RatesFound):
            return self._end.seconds
        lists = (self.steps, self.epochs, self.tried, [self.embedded] if self.embedded else [])
        return max((events[-1].seconds for events in lists if events), default=0.0)

    @property
    def remaining(self) -> float | None:
        """Expected seconds to go; None while that cannot be told."""
        return remaining_seconds(self._started, self.steps) if self._started else None

    @property
    def best(self) -> EpochEnded:
        """The epoch that is kept of those so far."""
        return self._epoch(self._end.best_epoch if isinstance(self._end, Finished) else self._selection.best_epoch)

    @property
    def highest_scoring(self) -> EpochEnded:
        """The first epoch with the highest score so far; it need not be the one that is kept."""
        return self._epoch(self._selection.highest_epoch)

    @property
    def best_validation(self) -> dict[str, Scores]:
        """The validation scores of the epoch that is kept so far; none before an epoch has ended."""
        return self.best.validation if self.epochs else {}

    @property
    def _selection(self) -> EpochSelection:
        selection = EpochSelection(self._started.keeps if self._started else "best")
        for ended in self.epochs:
            selection.update(ended.epoch, ended.validation)
        return selection

    def _epoch(self, number: int) -> EpochEnded:
        for ended in self.epochs:
            if ended.epoch == number:
                return ended
        raise RunError("No epoch of this run has ended.")
