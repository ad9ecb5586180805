"""A task: a name and the labels its head chooses from."""

from collections.abc import Sequence
from dataclasses import dataclass

from mtst.errors import ModelError
from mtst.text import isolate_bidi


@dataclass(frozen=True)
class Task:
    """One classification task; the order of the labels is the order of its head's logits.

    Raises:
        ModelError: the name is blank, there is no label, or a label comes twice.
    """

    name: str
    labels: tuple[str, ...]

    def __str__(self) -> str:
        """The name as it can stand in a sentence."""
        return isolate_bidi(self.name)

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ModelError("A task needs a name.")
        if not self.labels:
            raise ModelError(f"Task {self.name!r} has no labels; it needs at least one.")
        if twice := {label for label in self.labels if self.labels.count(label) > 1}:
            raise ModelError(f"Task {self.name!r} has the label {min(twice)!r} more than once.")


# Those of the app and of a new model.
DEFAULT_TASKS = (
    Task(
        "topic",
        ("business", "entertainment", "everyday", "food", "health", "sports", "technology", "travel", "world"),
    ),
    Task("sentiment", ("negative", "neutral", "positive")),
)


def check_tasks(tasks: tuple[Task, ...]) -> tuple[Task, ...]:
    """Return the tasks if they can stand together in one model.

    Raises:
        ModelError: there is none, or two share a name.
    """
    names = [task.name for task in tasks]
    if not names:
        raise ModelError("A model needs at least one task.")
    if len(set(names)) < len(names):
        raise ModelError(f"Each task needs a name of its own, not {', '.join(map(repr, names))}.")
    return tasks


def kept_tasks(known: Sequence[Task], wanted: Sequence[Task]) -> list[Task | None]:
    """Return, for each task that is wanted, the known one whose head can serve it: of the same name and labels."""
    named = {task.name: task for task in known}
    found = [named.get(task.name) for task in wanted]
    return [
        kept if kept and set(kept.labels) == set(task.labels) else None
        for kept, task in zip(found, wanted, strict=True)
    ]
