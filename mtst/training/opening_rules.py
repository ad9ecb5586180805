"""Which layer groups open, and when: the rules that scenarios choose from."""

from collections.abc import Callable, Sequence

from mtst.errors import SettingsError
from mtst.model.layer_groups import BLOCK, is_head, top_down
from mtst.training.config import TrainConfig

Opening = dict[str, int]  # the epoch, from 1, at which a group opens; a group that is absent stays frozen
Rule = Callable[[Sequence[str], TrainConfig], Opening]


def at_once(opens: Callable[[str], bool]) -> Rule:
    """Return the rule that opens groups from the start."""
    return lambda keys, _config: {key: 1 for key in keys if opens(key)}


def open_top_blocks(keys: Sequence[str], config: TrainConfig) -> Opening:
    """Open the heads, the `config.top_blocks` highest blocks and what is above them from the start."""
    blocks = [key for key in top_down(keys) if key.startswith(BLOCK)]
    highest = blocks[: config.top_blocks]
    above = top_down(keys)[: top_down(keys).index(highest[-1])] if highest else top_down(keys)
    return {key: 1 for key in keys if is_head(key) or key in highest or key in above}


def open_gradually(keys: Sequence[str], config: TrainConfig) -> Opening:
    """Open the heads first, then one group after another from the top down, each `config.epochs_per_group` later."""
    heads = {key: 1 for key in keys if is_head(key)}
    return {key: 1 + depth * config.epochs_per_group for depth, key in enumerate(top_down(keys), 1)} | heads


def open_chosen(keys: Sequence[str], config: TrainConfig) -> Opening:
    """Open `config.open_groups` from the start.

    Raises:
        SettingsError: there are none, or one of them does not exist.
    """
    unknown = [key for key in config.open_groups if key not in keys]
    if unknown:
        raise SettingsError(f"There is no layer group {unknown[0]!r}. Choose from: {', '.join(keys)}.")
    if not config.open_groups:
        raise SettingsError("Choose at least one layer group to train, or the scenario 'freeze-all'.")
    return dict.fromkeys(config.open_groups, 1)
