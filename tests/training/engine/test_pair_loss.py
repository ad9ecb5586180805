from itertools import combinations

import pytest
import torch
from torch.nn.functional import cosine_similarity

from mtst.data.dataset import UNLABELLED
from mtst.training.config import TrainConfig
from mtst.training.engine.losses import pair_loss
from mtst.training.events import EpochEnded
from mtst.training.fitting import fit

HARSH = {"epochs": 2, "batch_size": 8, "encoder_rate": 1e-3}


def mean(values):
    return sum(values) / len(values)


@pytest.mark.parametrize("target", [[0, 0, 1, 1, 2], [0, UNLABELLED, 0, 1, UNLABELLED]])
def test_the_loss_is_the_mean_over_both_kinds_of_pairs(target):
    torch.manual_seed(0)
    rows = torch.randn(len(target), 7)
    errors = {True: [], False: []}
    for one, other in combinations([k for k, label in enumerate(target) if label != UNLABELLED], 2):
        same = target[one] == target[other]
        errors[same].append((cosine_similarity(rows[one], rows[other], dim=0) - float(same)) ** 2)
    expected = mean([mean(kind) for kind in errors.values()])
    torch.testing.assert_close(pair_loss(rows, torch.tensor(target)), expected)


@pytest.mark.parametrize(("target", "count"), [([0, 0, 0], 1), ([0, 1, 2], 0)])
def test_pairs_of_one_kind_count_in_full(target, count):
    rows = torch.eye(3)  # every cosine is 0
    assert pair_loss(rows, torch.tensor(target)) == count


@pytest.mark.parametrize("target", [[], [0], [UNLABELLED] * 3, [UNLABELLED, 1, UNLABELLED]])
def test_where_there_is_no_pair_nothing_is_learnt(target):
    rows = torch.randn(len(target), 4, requires_grad=True)
    loss = pair_loss(rows, torch.tensor(target, dtype=torch.long))
    loss.backward()
    assert loss == 0
    assert not rows.grad.any()


def test_a_perfect_arrangement_costs_nothing():
    rows = torch.eye(2)[[0, 0, 1, 1]] * 3
    torch.testing.assert_close(pair_loss(rows, torch.tensor([0, 0, 1, 1])), torch.tensor(0.0))


def weights(model):
    return [parameter.detach().clone() for parameter in model.encoder.parameters()]


def test_heads_do_not_move_the_encoder_where_it_learns_from_pairs(tiny, swapped):
    before = {name: value.clone() for name, value in tiny.state_dict().items()}
    ends = []
    for smoothing in (0.0, 0.3):  # another loss of the heads
        tiny.load_state_dict(before)
        config = TrainConfig("few-examples", label_smoothing=smoothing, clip=0, **HARSH)
        list(fit(tiny, swapped, config, baselines=False))
        ends.append((weights(tiny), [head.weight.detach().clone() for head in tiny.heads]))
    (first, heads), (second, others) = ends
    assert all(map(torch.equal, first, second))
    assert not any(map(torch.equal, heads, others))


def test_sentences_with_the_same_label_come_closer(tiny, swapped):
    def apart():
        rows, target = torch.from_numpy(tiny.encode(swapped.texts)), torch.tensor(swapped.labels["topic"])
        return float(pair_loss(rows, target))

    before = apart()
    events = list(fit(tiny, swapped, TrainConfig("few-examples", task_weights={"place": 0.0}, **HARSH | {"epochs": 8})))
    assert apart() < 0.6 * before
    assert [event.epoch for event in events if isinstance(event, EpochEnded)] == list(range(9))
