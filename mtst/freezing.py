"""What is frozen and what is open: the scenarios as a table, and freezing done so that nothing moves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import nn

from mtst.errors import SettingsError
from mtst.layers import modules_of
from mtst.model import MultiTaskSentenceTransformer
from mtst.tasks import Task

HEAD = "head:"


@dataclass(frozen=True)
class Group:
    """A layer group of a whole model: of the encoder, or the head of `task`."""

    key: str
    title: str
    parameters: tuple[nn.Parameter, ...]
    modules: tuple[nn.Module, ...]
    task: str | None = None

    @property
    def size(self) -> int:
        """The number of parameters."""
        return sum(parameter.numel() for parameter in self.parameters)

    @property
    def is_head(self) -> bool:
        return self.task is not None


@dataclass(frozen=True)
class Scenario:
    """A choice of what to freeze, with the words that explain it and the defaults that suit it.

    Attributes:
        opens: tells whether a group with this key trains.
        epochs: how often training passes over the rows; 0 if nothing trains.
        head_rate: the learning rate of an open head.
        encoder_rate: the learning rate of an open group of the encoder.
    """

    key: str
    title: str
    meaning: str
    consequence: str
    when: str
    opens: Callable[[str], bool]
    epochs: int = 4
    head_rate: float = 1e-2
    encoder_rate: float = 1e-4


def _is_head(key: str) -> bool:
    return key.startswith(HEAD)


FIXED = (
    Scenario(
        key="freeze-encoder",
        title="Heads only",
        meaning="The encoder keeps its pre-trained knowledge; only the small heads learn your labels.",
        consequence="Each sentence is embedded once, so training takes seconds. Nothing can be forgotten.",
        when="Start here. Best with few rows, or when the encoder already tells your labels apart.",
        opens=_is_head,
        epochs=20,
        head_rate=3e-2,
    ),
    Scenario(
        key="train-all",
        title="Train everything",
        meaning="Encoder and heads all learn, the encoder with a much smaller step than the heads.",
        consequence="The most to gain and the most to lose: slow, and the encoder may forget what it knew in general.",
        when="With a thousand rows or more, or words the encoder was never trained on.",
        opens=lambda _key: True,
    ),
    Scenario(
        key="freeze-all",
        title="Freeze everything",
        meaning="Nothing learns. Each label is recognised by the meaning of its own words (zero-shot).",
        consequence="No training, only a measurement: the score that any training has to beat.",
        when="As a baseline: what do the words of your labels explain already?",
        opens=lambda _key: False,
        epochs=0,
    ),
)


def _freeze_head(task: Task) -> Scenario:
    return Scenario(
        key=f"freeze-{HEAD}{task.name}",
        title=f"Freeze the {task} head",
        meaning=f"The {task} head stays as it begins (zero-shot); the encoder and every other head learn.",
        consequence=f"The encoder learns to speak to a fixed {task} head, and the other tasks pull it their way.",
        when="To see how far one task can move under a head that does not follow.",
        opens=lambda key: key != HEAD + task.name,
    )


def scenarios(tasks: Sequence[Task]) -> dict[str, Scenario]:
    """Return every scenario for a model with these tasks, by key, in the order to show them."""
    table = (*FIXED, *(_freeze_head(task) for task in tasks))
    return {scenario.key: scenario for scenario in table}


def find_scenario(key: str, tasks: Sequence[Task]) -> Scenario:
    """Return a scenario by its key.

    Raises:
        SettingsError: there is none; the message lists the keys.
    """
    table = scenarios(tasks)
    if key not in table:
        raise SettingsError(f"There is no scenario {key!r}. Choose one of: {', '.join(table)}.")
    return table[key]


def groups_of(model: MultiTaskSentenceTransformer) -> tuple[Group, ...]:
    """Return the layer groups of a model from the bottom up, the heads last."""
    named = dict(model.encoder.backbone.named_parameters())
    layers = [
        Group(
            group.key,
            group.title,
            tuple(named[name] for name in group.parameters),
            tuple(modules_of(model.encoder.backbone, group.parameters)),
        )
        for group in model.encoder.groups
    ]
    heads = [
        Group(HEAD + task.name, f"{task} head", tuple(head.parameters()), (head,), task.name)
        for task, head in zip(model.tasks, model.heads, strict=True)
    ]
    return (*layers, *heads)


def freeze(model: MultiTaskSentenceTransformer, scenario: Scenario) -> tuple[Group, ...]:
    """Put every group in its state and return the open ones.

    A frozen group takes no gradient and runs in evaluation mode: with dropout on, a layer whose weights stand still
    would still not be the same function twice.
    """
    groups = groups_of(model)
    model.requires_grad_(False)
    model.eval()
    opened = tuple(group for group in groups if scenario.opens(group.key))
    for group in opened:
        for parameter in group.parameters:
            parameter.requires_grad_(True)
        for module in group.modules:
            module.train()
    return opened
