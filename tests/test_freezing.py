import copy

import pytest
import torch
from torch import nn

from mtst.config import TrainConfig
from mtst.errors import SettingsError
from mtst.events import EpochEnded, StepEnded
from mtst.freezing import find_scenario, freeze, groups_of, scenarios
from mtst.model import MultiTaskSentenceTransformer
from mtst.tasks import Task
from mtst.training import fit, plan

TASKS = (Task("topic", ("food", "sports")), Task("place", ("kitchen", "work")))
LAYERS = {"embeddings", *(f"block-{n}" for n in range(6))}
HEADS = {"head:topic", "head:place"}
OPEN = {
    "freeze-all": set(),
    "freeze-encoder": HEADS,
    "train-all": LAYERS | HEADS,
    "freeze-head:topic": LAYERS | {"head:place"},
    "freeze-head:place": LAYERS | {"head:topic"},
}
EVERY_SCENARIO = pytest.mark.parametrize("key", OPEN)


@pytest.fixture(scope="module")
def model(encoder):
    """The shared encoder with two heads; its weights stay as they are."""
    return MultiTaskSentenceTransformer(encoder, TASKS)


def same_bits(group, other):
    return all(torch.equal(now, then) for now, then in zip(group.parameters, other.parameters, strict=True))


def dropouts(group):
    return [part for module in group.modules for part in module.modules() if isinstance(part, nn.Dropout)]


def test_every_scenario_is_listed_once_with_words_that_explain_it():
    table = scenarios(TASKS)
    assert set(table) == set(OPEN)
    for key, scenario in table.items():
        assert scenario.key == key
        assert all((scenario.title, scenario.meaning, scenario.consequence, scenario.when))
        assert (scenario.epochs == 0) == (key == "freeze-all")


@pytest.mark.parametrize("key", ["", "freeze", "freeze-head:", "freeze-head:other", "Train-All"])
def test_an_unknown_scenario_is_refused_with_those_that_are(key):
    with pytest.raises(SettingsError) as caught:
        find_scenario(key, TASKS)
    assert repr(key) in str(caught.value)
    assert all(known in str(caught.value) for known in OPEN)


def test_groups_hold_every_parameter_but_the_unused_pooler_once(model):
    groups = groups_of(model)
    assert [group.key for group in groups] == [
        "embeddings",
        *(f"block-{n}" for n in range(6)),
        "head:topic",
        "head:place",
    ]
    inside = [id(parameter) for group in groups for parameter in group.parameters]
    assert len(inside) == len(set(inside))
    left = [name for name, parameter in model.named_parameters() if id(parameter) not in set(inside)]
    assert left
    assert all("pooler" in name for name in left)
    assert sum(group.size for group in groups if group.is_head) == 4 * 384 + 4


@EVERY_SCENARIO
def test_a_plan_tells_what_opens_and_at_which_rate(model, key):
    config = TrainConfig(scenario=key, head_rate=0.5, encoder_rate=0.25)
    for group in plan(model, config):
        assert group.open == (group.key in OPEN[key])
        assert group.rate == (0.5 if group.task else 0.25) * group.open


@EVERY_SCENARIO
def test_freezing_sets_gradients_and_modes_of_each_group(tiny_encoder, key):
    model = MultiTaskSentenceTransformer(tiny_encoder, TASKS)
    opened = {group.key for group in freeze(model, find_scenario(key, TASKS))}
    assert opened == OPEN[key] & {group.key for group in groups_of(model)}
    for group in groups_of(model):
        assert {parameter.requires_grad for parameter in group.parameters} == {group.key in opened}
        assert {module.training for module in group.modules} == {group.key in opened}


@EVERY_SCENARIO
def test_what_is_frozen_does_not_move_by_one_bit_and_what_is_open_moves(swapped_model, swapped, key):
    then = copy.deepcopy(swapped_model)
    config = TrainConfig(scenario=key, epochs=2, batch_size=4, head_rate=0.3, seed=1)
    steps = 0
    for event in fit(swapped_model, swapped, config):
        groups = {group.key: group for group in groups_of(swapped_model)}
        before = {group.key: group for group in groups_of(then)}
        if isinstance(event, StepEnded | EpochEnded):
            for name, group in groups.items():
                assert {module.training for module in group.modules} == {name in OPEN[key]}
                assert all(part.training == (name in OPEN[key]) for part in dropouts(group))
                assert same_bits(group, before[name]) == (name not in OPEN[key] or event.step == 0)
            steps = event.step
    assert steps == (8 if OPEN[key] else 0)
    assert (event.best_epoch > 0) == bool(OPEN[key])
    assert set(event.changes) == LAYERS | HEADS
    for name, group in groups.items():
        assert (event.changes[name] > 0) == (name in OPEN[key])
        assert same_bits(group, before[name]) == (name not in OPEN[key])
    outside = [name for name, _ in then.named_parameters() if "pooler" in name]
    weights, old = dict(swapped_model.named_parameters()), dict(then.named_parameters())
    assert outside
    assert all(torch.equal(weights[name], old[name]) for name in outside)
    assert not any(module.training for module in swapped_model.modules())
