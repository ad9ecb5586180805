"""Freezing done so that nothing moves, and the rate at which each open group does."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from mtst.config import TrainConfig
from mtst.groups import Group, groups_of, is_head, top_down
from mtst.model import MultiTaskSentenceTransformer


def freeze(model: MultiTaskSentenceTransformer, opened: AbstractSet[str]) -> tuple[Group, ...]:
    """Put every group in its state and return the open ones.

    A frozen group takes no gradient and runs in evaluation mode: with dropout on, a layer whose weights stand still
    would still not be the same function twice.
    """
    model.requires_grad_(False)
    model.eval()
    found = tuple(group for group in groups_of(model) if group.key in opened)
    for group in found:
        for parameter in group.parameters:
            parameter.requires_grad_(True)
        for module in group.modules:
            module.train()
    return found


def rates(keys: Sequence[str], config: TrainConfig) -> dict[str, float]:
    """Return the peak learning rate of each group if it opens, by key; the config is a settled one.

    The encoder's rate falls by `layer_decay` from each group to the one below it (discriminative learning rates,
    Howard and Ruder 2018).
    """
    layers = {key: config.encoder_rate * config.layer_decay**depth for depth, key in enumerate(top_down(keys))}
    return {key: config.head_rate if is_head(key) else layers[key] for key in keys}
