"""A run as its events tell it; everything that is drawn or said about a run is read from here."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from mtst.comparison.events import AttemptEnded, AttemptEpoch, Compared, ComparisonStarted, LearningCurve
from mtst.comparison.results import Comparison
from mtst.runs.event_log import RunEvent
from mtst.training.epoch_selection import EpochSelection
from mtst.training.events import (
    Baselines,
    Embedded,
    EpochEnded,
    Failed,
    Finished,
    Opened,
    RatesFound,
    RateTried,
    Resumed,
    Started,
    StepEnded,
)

HEADS_ALONE = 0.1  # of what one open group of the encoder costs
OF_COMPARISONS = (ComparisonStarted, AttemptEpoch, AttemptEnded, LearningCurve, Compared)
LISTS = {EpochEnded: "epochs", Opened: "opened", RateTried: "tried", StepEnded: "steps"}  # the others come once


@dataclass
class History:
    """A run as its events tell it; everything that is drawn or said about a run is read from here."""

    started: Started | None = None
    embedded: Embedded | None = None
    baselines: Baselines | None = None
    opened: list[Opened] = field(default_factory=list)
    steps: list[StepEnded] = field(default_factory=list)
    epochs: list[EpochEnded] = field(default_factory=list)
    finished: Finished | None = None
    tried: list[RateTried] = field(default_factory=list)
    found: RatesFound | None = None
    failed: Failed | None = None
    comparison: Comparison = field(default_factory=Comparison)
    waiting: bool = True  # nothing has happened since it was put in the queue

    def extend(self, events: Iterable[RunEvent]) -> None:
        """Take in what happened next."""
        for event in events:
            self.waiting = isinstance(event, Resumed)
            if isinstance(event, (*OF_COMPARISONS, Failed, Resumed)):
                self.comparison.extend([event])
            if isinstance(event, OF_COMPARISONS):
                continue
            if isinstance(event, EpochEnded | Opened | RateTried | StepEnded):
                getattr(self, LISTS[type(event)]).append(event)
            elif isinstance(event, Resumed):
                self._go_back(event)
            else:
                setattr(self, event.kind, event)

    def _go_back(self, resumed: Resumed) -> None:
        """Forget what came after the epoch from which a run goes on; all of it, where it begins again."""
        kept = History(comparison=self.comparison)
        if resumed.epoch:
            kept = replace(
                self,
                opened=[event for event in self.opened if event.epoch <= resumed.epoch],
                steps=[event for event in self.steps if event.step <= resumed.step],
                epochs=[event for event in self.epochs if event.epoch <= resumed.epoch],
                finished=None,
                failed=None,
            )
        self.__dict__.update(kept.__dict__)

    @property
    def over(self) -> bool:
        return any((self.finished, self.found, self.failed, self.comparison.compared))

    @property
    def validating(self) -> bool:
        """Whether all steps of an epoch are taken and its scores are not known yet."""
        if not self.started or not self.steps:
            return False
        done = self.epochs[-1].step if self.epochs else 0
        return self.steps[-1].step - done == self.started.steps // max(1, self.started.epochs)

    @property
    def resumable(self) -> bool:
        """Whether it ended before its end."""
        last = self.finished or self.comparison.compared
        return self.failed is not None or (last is not None and last.stopped)

    @property
    def outcome(self) -> str:
        """How it ended, in a word."""
        if self.failed:
            return self.failed.state
        if last := self.finished or self.comparison.compared:
            return "stopped" if last.stopped else "finished"
        return "finished" if self.found else "running"

    @property
    def elapsed(self) -> float:
        """Seconds of training so far."""
        if self.finished or self.found:
            return (self.finished or self.found).seconds
        return max(
            (
                events[-1].seconds
                for events in (self.steps, self.epochs, self.tried, [self.embedded])
                if events and events[-1]
            ),
            default=0.0,
        )

    @property
    def changes(self) -> dict[str, float]:
        """The relative weight change of each group, by key, once the run has finished."""
        return {group.key: group.change for group in self.finished.proof} if self.finished else {}

    @property
    def remaining(self) -> float | None:
        """Expected seconds to go, at the pace of the steps so far; nothing while there are fewer than two."""
        if not self.started or len(self.steps) < 2:
            return None
        first, last = self.steps[0], self.steps[-1]
        pace = (last.seconds - first.seconds) / (self._work(last.step) - self._work(first.step))
        return pace * (self._work(self.started.steps) - self._work(last.step))

    def _work(self, step: int) -> float:
        """Return what the steps up to one cost, roughly: a step costs more the more groups of the encoder are open."""
        each = self.started.steps / max(1, self.started.epochs)
        opened = [group.opens_at for group in self.started.groups if group.task is None and group.open]
        epochs = range(1, self.started.epochs + 1)
        return sum(
            min(max(step - (epoch - 1) * each, 0.0), each) * (HEADS_ALONE + sum(at <= epoch for at in opened))
            for epoch in epochs
        )

    @property
    def best(self) -> EpochEnded | None:
        """The epoch that is kept of those so far."""
        return self._chosen[0]

    @property
    def highest(self) -> EpochEnded | None:
        """The epoch that scored highest first of those so far; it need not be the one that is kept."""
        return self._chosen[1]

    @property
    def _chosen(self) -> tuple[EpochEnded | None, EpochEnded | None]:
        choice = EpochSelection(self.started.keeps if self.started else "best")
        for ended in self.epochs:
            choice.hear(ended.epoch, ended.validation)
        named = {ended.epoch: ended for ended in self.epochs}
        return named.get(choice.epoch), named.get(choice.progressed)
