"""The events of a run made by hand: one frozen block, one open head, two labels."""

from mtst.data.tasks import Task
from mtst.evaluation.scores import LabelScores, Scores
from mtst.runs.event_log import RunEvent
from mtst.runs.history import History
from mtst.training.events import Baselines, EpochEnded, Finished, GroupPlan, GroupProof, Started, StepEnded

TASK = Task("a", ("often", "<b>seldom"))


def scores(loss: float, share: float, seldom: float = 0.0, task: str = "a") -> dict[str, Scores]:
    labels = (LabelScores(3, share, share, share), LabelScores(1, seldom, seldom, seldom))
    return {task: Scores(4, loss, *[share] * 5, calibration_error=0.125, labels=labels)}


SCORES = scores(0.7, 0.5)
BETTER = scores(0.5, 0.75, 1.0)
GROUPS = (GroupPlan("block-0", "Block 0", 100, None, 0.0, None), GroupPlan("head:a", "a head", 10, 1, 0.1, "a"))
LATER = (
    GroupPlan("block-0", "Block <0>", 100, 3, 0.001, None),
    GroupPlan("block-1", "Block 1", 100, 2, 0.002, None),
    GroupPlan("head:a", "a head", 10, 1, 0.1, "a"),
    GroupPlan("head:b", "b head", 10, 1, 0.1, "b"),
)
PROOF = (
    GroupProof("block-0", "Block 0", 100, None, 0.0, 0.0, True),
    GroupProof("head:a", "a head", 10, (1, 2), 0.1, 0.5, False),
)


def started(epochs: int = 2, groups: tuple[GroupPlan, ...] = GROUPS, steps: int | None = None) -> Started:
    return Started(
        scenario="freeze-encoder",
        tasks=(TASK,),
        counts={"a": (6, 2)},
        groups=groups,
        train_rows=8,
        validation_rows=4,
        epochs=epochs,
        steps=2 * epochs if steps is None else steps,
        cached="embeddings",
        keeps="best",
        precision="fp32",
    )


def ended(
    epoch: int,
    step: int,
    by_task: dict[str, Scores],
    seconds: float,
    *,
    drift: float = 0.0,
    weights: dict[str, float] | None = None,
) -> EpochEnded:
    return EpochEnded(epoch, step, by_task if epoch else {}, by_task, drift, weights or {"a": 1.0}, seconds)


def finished(
    best: int = 1, *, stopped: bool = False, early: bool = False, proof: tuple[GroupProof, ...] = PROOF
) -> Finished:
    return Finished(best, stopped, early, proof, {"a": ((3, 0), (1, 0))}, 4.0)


BEFORE = ended(0, 0, SCORES, 0.1)
STEP = StepEnded(1, {"a": 0.6}, 1.0)
FIRST = ended(1, 2, BETTER, 2.0)
BASELINES = Baselines(scores(0.8, 0.25), scores(0.6, 0.625), 0.05)


def history_of(*events: RunEvent) -> History:
    return History(events)
