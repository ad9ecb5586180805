import math
import random
from dataclasses import replace

import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense, Normalize
from torch import nn

from mtst.data.tasks import Task
from mtst.encoders.encoder import Encoder
from mtst.model.layer_groups import Group
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training.config import TrainConfig
from mtst.training.engine.batches import batches
from mtst.training.engine.optimizer import Optimizer, ParameterGroup, Schedule, create_optimizer
from mtst.training.events import EpochEnded, GroupPlan
from mtst.training.fitting import fit
from mtst.training.scenarios import DEFAULTS, find_scenario, resolve


def shuffler(seed):
    return random.Random(seed)  # noqa: S311 (an order, not a secret)


def optimizer_of(groups, rates, opened, steps, *, loss_parameters=(), embedding_norm=1.0, **config):
    """An optimizer of so many steps for groups that open at some steps, from 0, with these peak rates."""
    config = {"warm_up": 0.0, "weight_decay": 0.0, "head_rate": 0.5, "encoder_rate": 0.25, **config}
    keys = [one.key for one in groups]
    resolved = resolve(TrainConfig("train-all", **config), find_scenario("train-all", ()), keys, rows=1)
    opening = {key: step + 1 for key, step in opened.items()}
    resolved = replace(resolved, opening=opening, epochs=steps)
    plan = [GroupPlan(one.key, one.key, one.size, opening[one.key], rates[one.key], one.task) for one in groups]
    more = {"loss_parameters": loss_parameters, "embedding_norm": embedding_norm}
    return create_optimizer(groups, plan, resolved, steps_per_epoch=1, **more)


def step(optimizer, loss):
    """One step down the gradient of a loss."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


# --- batches


@pytest.mark.parametrize(("count", "size"), [(0, 4), (1, 4), (7, 3), (1000, 8)])
def test_batches_are_a_permutation_of_the_right_sizes(count, size):
    lengths = [(n * 37) % 50 for n in range(count)]
    made = batches(range(count), lengths, size, shuffler(1))
    assert sorted(place for batch in made for place in batch) == list(range(count))
    assert len(made) == math.ceil(count / size)
    assert sorted((len(batch) for batch in made), reverse=True)[:-1] == [size] * (len(made) - 1)
    assert all(made)


def test_batches_are_random_and_sorted_by_length_within():
    lengths = [(n * 37) % 101 for n in range(1024)]
    made = batches(range(1024), lengths, 16, shuffler(1))
    inside = [[lengths[n] for n in batch] for batch in made]
    assert all(found == sorted(found) for found in inside)
    means = [sum(found) / 16 for found in inside]
    assert max(means) - min(means) < 50  # batches of like lengths would reach from 0 to 100
    assert means != sorted(means)
    assert made != batches(range(1024), lengths, 16, shuffler(2))
    assert made == batches(range(1024), lengths, 16, shuffler(1))


def test_a_place_that_was_drawn_twice_is_in_two_batches_or_twice_in_one():
    made = batches([3, 3, 1], [5, 5, 5, 5], 2, shuffler(1))
    assert sorted(place for batch in made for place in batch) == [1, 3, 3]


# --- rates over the steps


def course(opened=0, steps=100, last=0, decay="cosine", warmup_ratio=0.0):
    schedule = Schedule(steps, warmup_ratio, decay, last)
    return [schedule.factor(step, opened) for step in range(steps)]


@pytest.mark.parametrize(
    ("decay", "expected"),
    [
        ("cosine", [0.5 * (1 + math.cos(math.pi * step / 100)) for step in range(100)]),
        ("linear", [1 - step / 100 for step in range(100)]),
        ("constant", [1.0] * 100),
    ],
)
def test_without_a_warm_up_a_rate_falls_from_its_peak(decay, expected):
    assert course(decay=decay) == pytest.approx(expected)


@pytest.mark.parametrize("decay", ["cosine", "linear", "constant"])
def test_a_rate_rises_evenly_over_the_warm_up_and_falls_then(decay):
    found = course(decay=decay, warmup_ratio=0.2)
    assert found[:21] == pytest.approx([(step + 1) / 21 for step in range(21)])
    assert max(found) == found[20] == 1
    assert found[20:] == sorted(found[20:], reverse=True)
    assert (found[-1] < 0.02) == (decay != "constant")
    assert min(found) > 0


@pytest.mark.parametrize("decay", ["cosine", "linear", "constant"])
def test_no_rate_falls_before_the_group_that_opens_last_has_risen(decay):
    others, late = (course(opened, last=50, decay=decay, warmup_ratio=0.1) for opened in (0, 50))
    assert late[:50] == [0.0] * 50
    assert late[50:61] == pytest.approx([(step + 1) / 11 for step in range(11)])
    assert others[10:61] == [1.0] * 51
    assert late[60:] == others[60:] == sorted(others[60:], reverse=True)
    assert (others[-1] < 0.05) == (decay != "constant")


@pytest.mark.parametrize("scenario", ["gradual", "train-all", "top-k", "few-examples", "freeze-encoder", "lora"])
@pytest.mark.parametrize("steps_per_epoch", [1, 3, 27])
def test_every_group_comes_to_the_rate_that_is_shown(scenario, steps_per_epoch):
    keys = ["embeddings", *(f"block-{n}" for n in range(6)), "head:a"]
    config = resolve(
        TrainConfig(scenario), find_scenario(scenario, [Task("a", ("x", "y"))]), keys, rows=steps_per_epoch * 32
    )
    steps = config.epochs * steps_per_epoch
    opened = {key: (epoch - 1) * steps_per_epoch for key, epoch in config.opening.items()}
    schedule = Schedule(steps, config.warm_up, config.decay, max(opened.values()))
    for first in opened.values():
        assert max(schedule.factor(step, first) for step in range(steps)) == pytest.approx(1)


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("warm_up", [0.0, 0.1, 0.5, 1.0])
def test_the_shortest_runs_have_rates_too(steps, warm_up):
    found = course(steps=steps, warmup_ratio=warm_up)
    assert all(0 < part <= 1 for part in found)


# --- the optimizer


def group(key, *shapes, task=None):
    return Group(key, key, tuple(nn.Parameter(torch.ones(shape)) for shape in shapes), (), task)


def test_each_group_has_its_own_rate_at_each_step():
    groups = [group("block-0", (2, 2), (2,)), group("block-1", (2, 2)), group("head:a", (2, 2), (2,), task="a")]
    rates = {"block-0": 0.1, "block-1": 0.2, "head:a": 0.5}
    opened = {"block-0": 2, "block-1": 0, "head:a": 0}
    optimizer = optimizer_of(groups, rates, opened, 4, decay="linear", warm_up=0.5)
    seen = []
    for _ in range(4):
        seen.append(optimizer.rates)
        step(optimizer, sum(part.sum() for one in groups for part in one.parameters))
    late, early, heads = seen[0][0], [row[2] for row in seen], [row[3] for row in seen]
    assert late == 0
    assert early == pytest.approx([0.2 / 3, 0.4 / 3, 0.2, 0.2])
    assert heads == pytest.approx([2.5 * rate for rate in early])
    assert [row[0] for row in seen] == pytest.approx([0, 0, 0.1 / 3, 0.1 * 2 / 3])
    assert [row[0] for row in seen] == [row[1] for row in seen]
    assert [row[3] for row in seen] == [row[4] for row in seen]


def test_a_first_step_has_the_length_of_the_rate():
    one = group("block-0", (3, 3))
    step(optimizer_of([one], {"block-0": 0.125}, {"block-0": 0}, 10), one.parameters[0].sum())
    torch.testing.assert_close(one.parameters[0].detach(), torch.full((3, 3), 0.875))


def test_only_matrices_above_the_embeddings_are_shrunk():
    groups = [
        group("embeddings", (5, 2), (2,)),
        group("block-0", (2, 2), (2,)),
        group("head:a", (3, 2), (3,), task="a"),
    ]
    keys = [one.key for one in groups]
    optimizer = optimizer_of(groups, dict.fromkeys(keys, 0.1), dict.fromkeys(keys, 0), 10, weight_decay=0.5)
    step(optimizer, sum(part.sum() * 0 for one in groups for part in one.parameters))
    for one in groups:
        matrix, bias = one.parameters
        assert torch.equal(bias, torch.ones_like(bias))
        shrunk = 1.0 if one.key == "embeddings" else 1 - 0.1 * 0.5
        torch.testing.assert_close(matrix.detach(), torch.full_like(matrix, shrunk))


def test_a_frozen_group_is_passed_over_though_it_opens_later():
    early, late = group("head:a", (2, 2), task="a"), group("block-0", (2, 2))
    late.parameters[0].requires_grad_(False)
    rates, opened = {"head:a": 0.1, "block-0": 0.1}, {"head:a": 0, "block-0": 1}
    optimizer = optimizer_of([late, early], rates, opened, 2, weight_decay=0.5)
    step(optimizer, early.parameters[0].sum() + late.parameters[0].sum())
    assert torch.equal(late.parameters[0], torch.ones(2, 2))
    assert not torch.equal(early.parameters[0], torch.ones(2, 2))
    late.parameters[0].requires_grad_(True)
    step(optimizer, early.parameters[0].sum() + late.parameters[0].sum())
    assert not torch.equal(late.parameters[0], torch.ones(2, 2))


@pytest.mark.parametrize("max_norm", [0.5, 1000.0])
def test_a_gradient_that_is_too_long_is_shortened_as_one(max_norm):
    one, other = group("block-0", (2, 2)), group("head:a", (3,), task="a")
    frozen = group("block-1", (2,))
    groups = [one, frozen, other]
    optimizer = optimizer_of(groups, {each.key: 0.1 for each in groups}, {each.key: 0 for each in groups}, 2)
    (3 * one.parameters[0].sum() + 4 * other.parameters[0].sum()).backward()
    optimizer.clip_gradients(max_norm)
    gradients = torch.cat([part.grad.flatten() for part in (*one.parameters, *other.parameters)])
    expected = torch.tensor([3.0] * 4 + [4.0] * 3)
    length = expected.norm()
    torch.testing.assert_close(gradients, expected * (max_norm / length if max_norm == 0.5 else 1.0), rtol=1e-4, atol=0)


def test_no_gradient_moves_nothing_and_still_counts_as_a_step():
    one = group("block-0", (2, 2))
    optimizer = optimizer_of([one], {"block-0": 0.1}, {"block-0": 0}, 4, decay="linear", weight_decay=0.1)
    optimizer.zero_grad()
    optimizer.clip_gradients(1.0)
    optimizer.step()
    assert torch.equal(one.parameters[0], torch.ones(2, 2))
    assert optimizer.rates == pytest.approx([0.075])


def test_what_the_loss_itself_learns_has_the_rate_of_the_heads_and_is_not_shrunk():
    one, learned, fixed = group("block-0", (2, 2)), nn.Parameter(torch.ones(2, 2)), nn.Parameter(torch.ones(2))
    fixed.requires_grad_(False)
    optimizer = optimizer_of(
        [one], {"block-0": 0.1}, {"block-0": 0}, 4, loss_parameters=(learned, fixed), head_rate=0.5, weight_decay=0.1
    )
    assert optimizer.rates == [0.1, 0.5]
    step(optimizer, one.parameters[0].sum() + 0 * learned.sum())
    assert torch.equal(learned, torch.ones(2, 2))


def test_every_default_can_be_overruled():
    assert all(getattr(TrainConfig(), name) is None for name in DEFAULTS)


def test_a_state_of_more_parameters_is_refused():
    group = ParameterGroup([nn.Parameter(torch.zeros(2))], 0.1, 0.0, 0)
    with pytest.raises(IndexError):
        Optimizer([group], Schedule(10, 0.0, "cosine")).load_state_tensors({"1.step": torch.zeros(1)}, 1)


# --- embeddings that are longer than 1


def test_the_weights_of_heads_move_and_shrink_less_the_longer_embeddings_are():
    moved = {}
    for norm in (1.0, 8.0):
        head, block = group("head:t", (2, 4), (2,), task="t"), group("block-0", (4, 4))
        rates, opened = {"block-0": 0.25, "head:t": 0.5}, {"block-0": 0, "head:t": 0}
        optimizer = optimizer_of([block, head], rates, opened, 10, embedding_norm=norm)
        step(optimizer, norm * head.parameters[0].sum() + head.parameters[1].sum() + block.parameters[0].sum())
        moved[norm] = [1 - part.mean().item() for part in (*block.parameters, *head.parameters)]
    assert moved[1.0] == pytest.approx([0.25, 0.5, 0.5], rel=1e-4)
    assert moved[8.0] == pytest.approx([0.25, 0.5 / 8, 0.5], rel=1e-4)


@pytest.mark.parametrize("scenario", ["freeze-encoder", "top-k"])
def test_heads_learn_as_fast_on_long_embeddings(tiny_folder, tmp_path, swapped, calm, scenario):
    longer = Dense(32, 32, bias=False, activation_function=nn.Identity())
    longer.linear.weight.data = 20 * torch.eye(32)
    losses = {}
    for norm, modules in ((1.0, [Normalize()]), (20.0, [Normalize(), longer])):
        backbone = SentenceTransformer(modules=[*SentenceTransformer(str(tiny_folder())), *modules])
        encoder = calm(Encoder(backbone, name="tiny", fp32=True))
        assert encoder.embedding_norm == pytest.approx(norm, rel=1e-4)
        model = MultiTaskSentenceTransformer(encoder, swapped.tasks)
        events = fit(model, swapped, TrainConfig(scenario, epochs=10, validation_share=0.3), baselines=False)
        scores = [event.validation.values() for event in events if isinstance(event, EpochEnded)]
        losses[norm] = [sum(each.loss for each in epoch) for epoch in scores]
    assert losses[1.0][-1] != pytest.approx(losses[1.0][0], abs=0.01)
    assert losses[20.0] == pytest.approx(losses[1.0], rel=0.01)
