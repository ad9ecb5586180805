"""The best weights of a run so far, what they say of the held-out rows, and since when nothing was better."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mtst.evaluation.scores import Scores
from mtst.model.layer_groups import Group
from mtst.training.engine.checkpoint import Part
from mtst.training.epoch_selection import EpochRule, EpochSelection


class BestWeights:
    """The weights of the groups that ever open, at the epoch that is kept.

    Attributes:
        choice: which epoch that is.
        logits: those of each task on the held-out rows, at that epoch.
    """

    def __init__(self, groups: Sequence[Group], keeps: EpochRule) -> None:
        self._weights = named_parameters(groups)
        self._kept: Part = {}
        self.choice = EpochSelection(keeps)
        self.logits: dict[str, Tensor] = {}

    @torch.no_grad()
    def offer(self, epoch: int, scores: dict[str, Scores], logits: dict[str, Tensor]) -> bool:
        """Keep the weights as they are now if that is the choice; return whether it is."""
        if not self.choice.hear(epoch, scores):
            return False
        self.logits = logits
        if not self._kept:
            self._kept = {name: torch.empty_like(weight) for name, weight in self._weights.items()}
        for name, kept in self._kept.items():
            kept.copy_(self._weights[name])
        return True

    def restore(self) -> None:
        """Give the model the weights that were kept, if any were."""
        if self._kept:
            assign_parameters(self._kept, self._weights)

    def parts(self, epoch: int) -> dict[str, Part]:
        """Return what to keep after an epoch; the best weights are left out if they are those of now."""
        best = {} if self.choice.epoch == epoch else self._kept
        return {"now": dict(self._weights), "best": best, "logits": self.logits}

    @property
    def numbers(self) -> dict[str, float]:
        return self.choice.numbers

    def load(self, parts: dict[str, Part], numbers: dict[str, float]) -> None:
        """Take back what `parts` and `numbers` gave; the model has its weights of then afterwards.

        Raises:
            KeyError: they are of other groups.
        """
        if parts["now"].keys() != self._weights.keys():
            raise KeyError("now")
        device = next(iter(self._weights.values())).device
        best = parts.get("best") or parts["now"]
        self._kept = {name: tensor.to(device) for name, tensor in best.items()}
        self.logits = dict(parts["logits"])  # on the CPU, as `offer` gets them
        self.choice.load(numbers)
        assign_parameters(parts["now"], self._weights)


def named_parameters(groups: Sequence[Group]) -> dict[str, Tensor]:
    """Return the parameters of some groups by names that do not change from one loading of a model to the next."""
    return {f"{group.key}|{n}": parameter for group in groups for n, parameter in enumerate(group.parameters)}


@torch.no_grad()
def assign_parameters(values: Part, targets: dict[str, Tensor]) -> None:
    """Write values into parameters of the same names."""
    for name, value in values.items():
        targets[name].copy_(value)
