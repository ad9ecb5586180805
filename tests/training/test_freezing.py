import copy
from itertools import pairwise

import pytest
import torch
from torch import nn

from mtst.data.tasks import Task
from mtst.encoders.loading import load_encoder
from mtst.model.layer_groups import model_groups
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training.config import TrainConfig
from mtst.training.events import EpochEnded, Opened, StepEnded
from mtst.training.fitting import fit
from mtst.training.freezing import freeze
from mtst.training.planning import plan

TASKS = (Task("topic", ("food", "sports")), Task("place", ("kitchen", "work")))
LAYERS = ("embeddings", *(f"block-{n}" for n in range(6)))
HEADS = ("head:topic", "head:place")
ALL = (*LAYERS, *HEADS)
# The epoch at which each group of the bundled encoder opens.
OPEN = {
    "freeze-all": {},
    "freeze-encoder": dict.fromkeys(HEADS, 1),
    "top-k": dict.fromkeys(("block-4", "block-5", *HEADS), 1),
    "gradual": dict(zip(reversed(LAYERS), range(2, 9), strict=True)) | dict.fromkeys(HEADS, 1),
    "train-all": dict.fromkeys(ALL, 1),
    "discriminative": dict.fromkeys(ALL, 1),
    "lora": dict.fromkeys((*LAYERS[1:], *HEADS), 1),
    "bitfit": dict.fromkeys(ALL, 1),
    "few-examples": dict.fromkeys(ALL, 1),
    "custom": dict.fromkeys(("block-1", "block-3", "head:place"), 1),
    "freeze-head:topic": dict.fromkeys((*LAYERS, "head:place"), 1),
    "freeze-head:place": dict.fromkeys((*LAYERS, "head:topic"), 1),
}
CHOSEN = ("block-1", "block-3", "head:place")
EVERY_SCENARIO = pytest.mark.parametrize("key", OPEN)
WHOLE_GROUPS = pytest.mark.parametrize("key", [key for key in OPEN if key not in ("lora", "bitfit")])


@pytest.fixture(scope="module")
def model(encoder):
    """The shared encoder with two heads; its weights stay as they are."""
    return MultiTaskSentenceTransformer(encoder, TASKS)


@pytest.fixture
def swapped_model(tiny_folder, swapped):
    """A tiny encoder with as many blocks as the bundled one."""
    return MultiTaskSentenceTransformer(load_encoder(str(tiny_folder(blocks=6))), swapped.tasks)


def configured(key, **config):
    return TrainConfig(key, open_groups=CHOSEN if key == "custom" else (), **config)


def same_bits(group, weights):
    return all(torch.equal(now, then) for now, then in zip(group.parameters, weights, strict=True))


def modes(group):
    """The modes of all that is in a group, its dropout included."""
    return {part.training for module in group.modules for part in module.modules()}


@EVERY_SCENARIO
def test_a_plan_tells_what_opens_when_and_at_which_rate(model, key):
    for group in plan(model, configured(key, head_rate=0.5, encoder_rate=0.25, layer_decay=1.0), rows=20):
        assert group.opens_at == OPEN[key].get(group.key)
        assert group.open == (group.key in OPEN[key])
        assert group.rate == (0.5 if group.task else 0.25) * group.open


def test_a_plan_of_falling_rates_tells_them(model):
    groups = plan(model, configured("discriminative", encoder_rate=0.5), rows=20)
    rates = [group.rate for group in groups if not group.task]
    assert [lower / upper for lower, upper in pairwise(rates)] == pytest.approx([0.7] * 6)
    assert rates[-1] == 0.5


@pytest.mark.parametrize("opened", [(), HEADS, ("block-1",), ("embeddings", "head:topic"), (*LAYERS, *HEADS)])
def test_freezing_sets_gradients_and_modes_of_each_group(tiny, opened):
    keys = set(opened) & {group.key for group in model_groups(tiny)}
    tiny.train()
    assert {group.key for group in freeze(tiny, model_groups(tiny), keys)} == keys
    for group in model_groups(tiny):
        assert {parameter.requires_grad for parameter in group.parameters} == {group.key in keys}
        assert modes(group) == {group.key in keys}
    placed = {id(parameter) for group in model_groups(tiny) for parameter in group.parameters}
    assert not any(parameter.requires_grad for parameter in tiny.parameters() if id(parameter) not in placed)


def test_what_opens_later_does_not_close_what_was_open(tiny):
    groups = model_groups(tiny)
    freeze(tiny, groups, {"head:topic"})
    freeze(tiny, groups, {"head:topic", "block-1"})
    assert [group.key for group in groups if modes(group) == {True}] == ["block-1", "head:topic"]
    freeze(tiny, groups, set())
    assert not any(module.training for module in tiny.modules())


@WHOLE_GROUPS
def test_what_is_frozen_does_not_move_by_one_bit_and_what_is_open_moves(swapped_model, swapped, key):
    opens_at = OPEN[key]
    groups = {group.key: group for group in model_groups(swapped_model)}
    then = {name: [part.detach().clone() for part in group.parameters] for name, group in groups.items()}
    outside = {n: p.detach().clone() for n, p in swapped_model.named_parameters() if "pooler" in n}
    epochs = 8 if key == "gradual" else 2
    config = configured(key, epochs=epochs, batch_size=4, head_rate=0.03, encoder_rate=1e-4, decay="constant", seed=1)
    steps, epoch, told = 0, 1, []
    for event in fit(swapped_model, swapped, config, baselines=False):
        if isinstance(event, Opened):
            epoch = event.epoch
            told += event.groups
        if isinstance(event, StepEnded):
            steps = event.step
            epoch = 1 + (steps - 1) // 4
        if isinstance(event, StepEnded | EpochEnded | Opened):
            for name, group in groups.items():
                opened = opens_at.get(name, 99) <= epoch
                assert modes(group) == {opened}
                assert {part.requires_grad for part in group.parameters} == {opened}
                has_stepped = opened and steps > 4 * (opens_at[name] - 1)
                assert same_bits(group, then[name]) == (not has_stepped), (event.kind, steps, name)
    assert steps == (4 * epochs if opens_at else 0)
    assert told == [name for at in range(2, 9) for name in ALL if opens_at.get(name) == at]
    assert (event.best_epoch > 0) == bool(opens_at)
    assert [proof.key for proof in event.proof] == list(ALL)
    for proof in event.proof:
        reached = opens_at.get(proof.key, 99) <= event.best_epoch
        assert (proof.change > 0) == (not proof.same) == (not same_bits(groups[proof.key], then[proof.key])) == reached
        assert proof.open_epochs == ((opens_at[proof.key], epochs) if proof.key in opens_at else None)
    weights = dict(swapped_model.named_parameters())
    assert outside
    assert all(torch.equal(weights[name], old) for name, old in outside.items())
    assert not any(module.training for module in swapped_model.modules())


@pytest.mark.parametrize("key", ["train-all", "discriminative", "freeze-head:topic"])
def test_gradients_reach_every_open_matrix_in_the_first_step(swapped_model, swapped, key):
    groups = model_groups(swapped_model)
    then = copy.deepcopy([list(group.parameters) for group in groups])
    steps = (event for event in fit(swapped_model, swapped, configured(key)) if isinstance(event, StepEnded))
    assert next(steps).step == 1
    for group, old in zip(groups, then, strict=True):
        moved = [not torch.equal(now, was) for now, was in zip(group.parameters, old, strict=True) if now.ndim > 1]
        assert set(moved) == {group.key in OPEN[key]}


def test_dropout_of_open_layers_works_and_that_of_frozen_ones_does_not(tiny, swapped):
    """Two passes over one batch differ by the open layers alone."""
    groups = model_groups(tiny)
    freeze(tiny, groups, {"block-1"})
    dropouts = [module for module in tiny.modules() if isinstance(module, nn.Dropout)]
    assert {module.training for module in dropouts} == {True, False}
    encoder = tiny.encoder
    ids = encoder.tokenize(swapped.texts[:3])
    lower = [encoder.hidden_states(ids, 1) for _ in range(2)]
    assert torch.equal(*lower)
    assert not torch.equal(encoder.embed(ids), encoder.embed(ids))
    freeze(tiny, groups, set())
    assert torch.equal(encoder.embed(ids), encoder.embed(ids))
