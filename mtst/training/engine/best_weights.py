"""The best weights of a run so far, and what they predict for the validation rows."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from mtst.evaluation.scores import Scores
from mtst.model.layer_groups import Group
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.model.trained_parts import trained_groups
from mtst.training.budget import REFERENCE_ROWS
from mtst.training.config import TrainConfig
from mtst.training.engine.checkpoint import Part
from mtst.training.epoch_selection import EpochRule, EpochSelection
from mtst.training.planning import resolve_for


class BestWeights:
    """The weights that ever train, at the epoch that is kept.

    Attributes:
        selection: which epoch that is.
        logits: those of each task on the validation rows, at that epoch; empty before the first epoch.
    """

    def __init__(self, groups: Sequence[Group], rule: EpochRule) -> None:
        self._weights = named_parameters(groups)
        self._best: Part = {}
        self.selection = EpochSelection(rule)
        self.logits: dict[str, Tensor] = {}

    @torch.no_grad()
    def update(self, epoch: int, scores: dict[str, Scores], logits: dict[str, Tensor]) -> bool:
        """Copy the current weights if their epoch is selected; return whether it is."""
        if not self.selection.update(epoch, scores):
            return False
        self.logits = logits
        if not self._best:
            self._best = {name: torch.empty_like(weight) for name, weight in self._weights.items()}
        for name, copy in self._best.items():
            copy.copy_(self._weights[name])
        return True

    def restore(self) -> None:
        """Give the model its best weights, if there are any."""
        if self._best:
            assign_parameters(self._best, self._weights)

    def state_dict(self, epoch: int) -> dict[str, Part]:
        """Return the tensors to save after an epoch; the best weights are left out if they are the current ones."""
        best = {} if self.selection.best_epoch == epoch else self._best
        return {"now": dict(self._weights), "best": best, "logits": self.logits}

    def load_state_dict(self, state: Mapping[str, Part], selection: Mapping[str, float]) -> None:
        """Restore what `state_dict` and `selection.state_dict` returned, and the current weights of the model.

        Raises:
            KeyError: they are of other groups.
        """
        if state["now"].keys() != self._weights.keys():
            raise KeyError("now")
        device = next(iter(self._weights.values())).device
        best = state.get("best") or state["now"]
        self._best = {name: tensor.to(device) for name, tensor in best.items()}
        self.logits = dict(state["logits"])  # on the CPU, as `update` gets them
        self.selection.load_state_dict(selection)
        assign_parameters(state["now"], self._weights)


def load_best(model: MultiTaskSentenceTransformer, config: TrainConfig, state: Mapping[str, Part]) -> None:
    """Give a model, as it was before a run with this config, the best weights in the state of that run."""
    resolved = resolve_for(model, config, REFERENCE_ROWS)  # which groups open does not depend on the rows
    with trained_groups(model, resolved.opening, resolved.trains) as groups:
        assign_parameters(state.get("best") or state["now"], named_parameters(groups))


def named_parameters(groups: Sequence[Group]) -> dict[str, Tensor]:
    """Return the parameters that train in groups, by names that are the same whenever the model is loaded."""
    return {f"{group.key}|{n}": parameter for group in groups for n, parameter in enumerate(group.trained)}


@torch.no_grad()
def assign_parameters(values: Part, targets: dict[str, Tensor]) -> None:
    """Write values into the parameters of the same names."""
    for name, value in values.items():
        targets[name].copy_(value)
