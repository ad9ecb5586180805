"""What a run will do, before it begins: its rows, and which layer groups open, when, and at which learning rates."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mtst.data.dataset import Dataset
from mtst.data.split import check_trainable
from mtst.errors import ModelError, SettingsError
from mtst.model.layer_groups import Group, is_head, model_groups, top_down
from mtst.model.trained_parts import PARTS, part_size
from mtst.training.config import ResolvedConfig, Split, TrainConfig, split
from mtst.training.events import GroupPlan
from mtst.training.scenarios import find_scenario, resolve

if TYPE_CHECKING:
    from mtst.model.multitask import MultiTaskSentenceTransformer


def plan(model: "MultiTaskSentenceTransformer", config: TrainConfig, rows: int) -> tuple[GroupPlan, ...]:
    """Return what a run on so many training rows would open, when, and at which rates, from the bottom group up.

    Raises:
        SettingsError: the scenario is unknown, or cannot be followed with this config.
    """
    return plan_groups(model, resolve_for(model, config, rows))


def resolve_for(model: "MultiTaskSentenceTransformer", config: TrainConfig, rows: int) -> ResolvedConfig:
    """Return the config of a run on so many training rows, with what is left open taken from the scenario.

    Raises:
        SettingsError: the scenario is unknown, or cannot be followed with this config.
    """
    groups = model_groups(model)
    resolved = resolve(config, find_scenario(config.scenario, model.tasks), [group.key for group in groups], rows)
    return _without_empty(resolved, groups, model.encoder.name)


def _without_empty(config: ResolvedConfig, groups: Sequence[Group], encoder: str) -> ResolvedConfig:
    """Return a config in which no group opens of which nothing would train.

    Raises:
        SettingsError: no group of the encoder is left.
    """
    empty = {group.key for group in groups if part_size(group, config.trains) == 0}
    opening = {key: epoch for key, epoch in config.opening.items() if key not in empty}
    if empty and all(map(is_head, opening)):
        raise SettingsError(
            f"The encoder {encoder!r} has no {PARTS[config.trains].missing}, so {config.scenario!r} cannot train it. "
            "Choose another scenario, such as 'top-k'."
        )
    return replace(config, opening=opening)


def training_rows(
    model: "MultiTaskSentenceTransformer", data: Dataset, config: TrainConfig, validation: Dataset | None = None
) -> Split:
    """Return the rows to train and validate on: `data` and `validation`, or a split of `data` if that is None.

    Raises:
        ModelError: the tasks differ from the model's.
        DataError: there is too little to train and validate on.
    """
    if data.tasks != model.tasks:
        raise ModelError("The model's tasks are not those of the data. Make the model with `data.tasks`.")
    check_trainable(data)
    return split(data, config) if validation is None else Split(data, validation)


def plan_groups(model: "MultiTaskSentenceTransformer", config: ResolvedConfig) -> tuple[GroupPlan, ...]:
    """Return the plan of each layer group of a model, from the bottom up."""
    groups = model_groups(model)
    peaks = peak_rates([group.key for group in groups], config)
    return tuple(
        GroupPlan(
            key=group.key,
            title=group.title,
            parameters=group.size,
            opens_at=config.opening.get(group.key),
            rate=peaks[group.key] if group.key in config.opening else 0.0,
            task=group.task,
            part=part_size(group, config.trains) if group.key in config.opening else None,
        )
        for group in groups
    )


def peak_rates(keys: Sequence[str], config: ResolvedConfig) -> dict[str, float]:
    """Return the peak learning rate of each group if it opens, by key.

    The encoder's rate falls by `layer_decay` from each group to the one below it (discriminative learning rates,
    Howard and Ruder 2018).
    """
    layers = {key: config.encoder_rate * config.layer_decay**depth for depth, key in enumerate(top_down(keys))}
    return {key: config.head_rate if is_head(key) else layers[key] for key in keys}
