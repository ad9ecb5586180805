import math

import pytest
import torch

from mtst.freezing import Group, groups_of
from mtst.model import MultiTaskSentenceTransformer
from mtst.proof import Proof


@pytest.fixture
def tiny(tiny_encoder, swapped):
    """The tasks of `swapped` on a tiny random encoder."""
    return MultiTaskSentenceTransformer(tiny_encoder, swapped.tasks)


def test_a_proof_tells_how_far_each_group_moved(tiny):
    groups = groups_of(tiny)
    proof = Proof(groups, groups[-2:])
    assert set(proof.changes().values()) == {0.0}
    with torch.no_grad():
        for parameter in groups[-1].parameters:
            parameter.mul_(1.5)
    assert proof.changes()[groups[-1].key] == pytest.approx(0.5)
    assert proof.changes()[groups[-2].key] == 0


def test_a_proof_notices_one_bit_of_a_frozen_group(tiny):
    groups = groups_of(tiny)
    proof = Proof(groups, ())
    with torch.no_grad():
        groups[1].parameters[0].view(torch.int32).view(-1)[0].bitwise_xor_(1)
    changes = proof.changes()
    assert changes.pop(groups[1].key) == math.inf
    assert set(changes.values()) == {0.0}


@pytest.mark.parametrize("shape", [(), (1,), (2, 3)])
def test_a_proof_reads_weights_of_any_shape(shape):
    group = Group("g", "G", (torch.nn.Parameter(torch.ones(shape)),), ())
    assert Proof((group,), ()).changes() == {"g": 0.0}
    assert Proof((group,), (group,)).changes() == {"g": 0.0}
