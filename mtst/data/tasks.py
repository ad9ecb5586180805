"""A task: a name and the labels that its head predicts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from mtst.errors import ModelError
from mtst.text import isolate_bidi


@dataclass(frozen=True)
class Task:
    """A classification task. The order of `labels` is the order of the head's logits.

    Attributes:
        name: of the task.
        labels: what its head tells apart.
        multi: whether a row may have several labels, or none (multi-label); else it has exactly one.
        threshold: the probability from which on a label of a multi-label task is predicted. It belongs to a trained
            head, not to the data, so two tasks that differ in it alone are equal.

    Raises:
        ModelError: the name is blank, there is no label, a label occurs twice, or the threshold is no probability.
    """

    name: str
    labels: tuple[str, ...]
    multi: bool = False
    threshold: float = field(default=0.5, compare=False)

    def __str__(self) -> str:
        """Return the name, safe to embed in a sentence (see `isolate_bidi`)."""
        return isolate_bidi(self.name)

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ModelError("A task needs a name.")
        if not self.labels:
            raise ModelError(f"Task {self.name!r} has no labels; it needs at least one.")
        if twice := {label for label, count in Counter(self.labels).items() if count > 1}:
            raise ModelError(f"Task {self.name!r} has the label {min(twice)!r} more than once.")
        if not 0 <= self.threshold <= 1:
            raise ModelError(f"The threshold of task {self.name!r} must be between 0 and 1, not {self.threshold!r}.")


# The tasks of the app and of a new model.
DEFAULT_TASKS = (
    Task(
        "topic",
        ("business", "entertainment", "everyday", "food", "health", "sports", "technology", "travel", "world"),
    ),
    Task("sentiment", ("negative", "neutral", "positive")),
)


def check_tasks(tasks: tuple[Task, ...]) -> tuple[Task, ...]:
    """Return the tasks if one model can have all of them.

    Raises:
        ModelError: there are none, or two have the same name.
    """
    names = [task.name for task in tasks]
    if not names:
        raise ModelError("A model needs at least one task.")
    if len(set(names)) < len(names):
        raise ModelError(f"Each task needs a name of its own, not {', '.join(map(repr, names))}.")
    return tasks


def reusable_tasks(existing: Sequence[Task], requested: Sequence[Task]) -> list[Task | None]:
    """Return, for each requested task, the existing task with the same name, kind and set of labels, or None.

    The head of such a task can serve the requested one.
    """
    by_name = {task.name: task for task in existing}
    matches = [by_name.get(task.name) for task in requested]
    return [
        match if match and (match.multi, set(match.labels)) == (task.multi, set(task.labels)) else None
        for match, task in zip(matches, requested, strict=True)
    ]
