import math

import pytest
import torch

from mtst.model.layer_groups import Group, model_groups
from mtst.training.events import GroupPlan
from mtst.training.freezing import FreezingProof


def planned(groups, opens_at):
    """The plan of a run in which some groups open at some epochs, at a rate of 0.5."""
    return [
        GroupPlan(one.key, one.title, one.size, opens_at.get(one.key), 0.5 * (one.key in opens_at), one.task)
        for one in groups
    ]


def flip(parameter):
    """Change the last bit of the first number."""
    with torch.no_grad():
        parameter.view(torch.int32).view(-1)[0].bitwise_xor_(1)


def test_a_frozen_model_is_proven_not_to_have_moved(tiny):
    groups = model_groups(tiny)
    table = FreezingProof(groups, ()).table(planned(groups, {}), 3)
    assert [row.key for row in table] == [group.key for group in groups]
    for row, group in zip(table, groups, strict=True):
        assert (row.title, row.parameters) == (group.title, group.size)
        assert (row.change, row.same, row.open_epochs, row.rate) == (0.0, True, None, 0.0)


def test_a_proof_tells_how_far_each_open_group_moved(tiny):
    groups = model_groups(tiny)
    opens_at = {groups[-1].key: 1, groups[-2].key: 2}
    proof = FreezingProof(groups, opens_at)
    with torch.no_grad():
        for parameter in groups[-1].parameters:
            parameter.mul_(1.5)
    *others, still, moved = proof.table(planned(groups, opens_at), 3)
    assert (moved.change, moved.same) == (pytest.approx(0.5), False)
    assert (still.change, still.same) == (0.0, True)
    assert (moved.open_epochs, still.open_epochs) == ((1, 3), (2, 3))
    assert (moved.rate, still.rate, others[0].rate) == (0.5, 0.5, 0.0)


def test_a_group_that_was_to_open_after_the_run_ended_was_never_open(tiny):
    groups = model_groups(tiny)
    opens_at = {groups[-1].key: 1, groups[-2].key: 3}
    proof = FreezingProof(groups, opens_at)
    for epochs, spans in ((0, (None, None)), (2, ((1, 2), None)), (3, ((1, 3), (3, 3)))):
        table = proof.table(planned(groups, opens_at), epochs)
        assert (table[-1].open_epochs, table[-2].open_epochs) == spans


@pytest.mark.parametrize("place", [0, 1, -1])
def test_one_changed_bit_of_a_frozen_group_is_detected(tiny, place):
    groups = model_groups(tiny)
    proof = FreezingProof(groups, ())
    flip(groups[1].parameters[place])
    table = {row.key: row for row in proof.table(planned(groups, {}), 1)}
    found = table.pop(groups[1].key)
    assert (found.change, found.same) == (math.inf, False)
    assert {(row.change, row.same) for row in table.values()} == {(0.0, True)}


def test_one_bit_of_an_open_group_is_a_small_change_and_not_the_same(tiny):
    groups = model_groups(tiny)
    opens_at = {groups[1].key: 1}
    proof = FreezingProof(groups, opens_at)
    flip(groups[1].parameters[0])
    row = proof.table(planned(groups, opens_at), 1)[1]
    assert 0 < row.change < 1e-6
    assert not row.same


def test_what_comes_back_bit_by_bit_is_the_same(tiny):
    groups = model_groups(tiny)
    proof = FreezingProof(groups, ())
    flip(groups[0].parameters[0])
    flip(groups[0].parameters[0])
    assert all(row.same for row in proof.table(planned(groups, {}), 1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("shape", [(), (1,), (2, 3), (0, 4)])
def test_a_proof_reads_weights_of_any_shape_and_type(shape, dtype):
    one = Group("g", "G", (torch.nn.Parameter(torch.ones(shape, dtype=dtype)),), ())
    for opens_at in ({}, {"g": 1}):
        (row,) = FreezingProof((one,), opens_at).table(planned([one], opens_at), 1)
        assert (row.change, row.same) == (0.0, True)


def test_weights_that_do_not_lie_in_one_piece_are_read_too():
    one = Group("g", "G", (torch.nn.Parameter(torch.arange(6.0).view(2, 3).t()),), ())
    proof = FreezingProof((one,), {"g": 1})
    with torch.no_grad():
        one.parameters[0][2, 0] += 1
    (row,) = proof.table(planned([one], {"g": 1}), 1)
    assert row.change == pytest.approx(1 / 55**0.5)
