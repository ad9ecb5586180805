"""The states of a run, each a type of its own."""

from dataclasses import dataclass

from mtst.comparison.events import Compared
from mtst.training.events import Failed, Finished, RatesFound


@dataclass(frozen=True)
class Waiting:
    """In the queue: nothing has happened since the run was put there."""


@dataclass(frozen=True)
class Running:
    """At work; `validating` once all steps of an epoch are taken and its scores are not known yet."""

    validating: bool = False


RunEnd = Finished | RatesFound | Compared | Failed  # the event that ended a run is its final state
RunState = Waiting | Running | RunEnd
