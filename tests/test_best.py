import pytest
import torch
from torch import nn

from mtst.best import Best
from mtst.groups import Group


@pytest.fixture
def head():
    weight = nn.Parameter(torch.ones(2))
    return Group("head:a", "a head", (weight,), (), "a"), weight


def offer(best, weight, epoch, score):
    with torch.no_grad():
        weight.fill_(epoch)
    return best.offer(epoch, score, {"a": torch.full((1, 1), float(epoch))})


def test_the_first_of_equals_is_kept_and_put_back(head):
    group, weight = head
    best = Best([group])
    best.restore()  # nothing was offered
    assert weight.tolist() == [1.0, 1.0]
    assert [offer(best, weight, k, score) for k, score in enumerate([0.1, 0.5, 0.5, 0.4])] == [True, True, False, False]
    best.restore()
    assert (best.epoch, best.progressed, best.logits["a"].item()) == (1, 1, 1.0)
    assert weight.tolist() == [1.0, 1.0]


def test_the_last_is_kept_where_that_is_asked_for(head):
    group, weight = head
    best = Best([group], keeps_last=True)
    assert all(offer(best, weight, k, score) for k, score in enumerate([0.1, 0.5, 0.2]))
    best.restore()
    assert (best.epoch, best.progressed) == (2, 1)
    assert weight.tolist() == [2.0, 2.0]


@pytest.mark.parametrize("now", [1, 2])
def test_what_was_kept_survives_a_new_process(head, now):
    group, weight = head
    before = Best([group])
    for epoch, score in enumerate([0.1, 0.5, 0.2][: now + 1]):
        offer(before, weight, epoch, score)
    parts = {part: {name: value.clone() for name, value in held.items()} for part, held in before.parts(now).items()}
    numbers = before.numbers
    with torch.no_grad():
        weight.fill_(7)
    after = Best([group])
    after.load(parts, numbers)
    assert weight.tolist() == [now] * 2
    assert not offer(after, weight, 3, 0.5)
    after.restore()
    assert weight.tolist() == [1.0, 1.0]
    assert (after.epoch, after.progressed, after.logits["a"].item()) == (1, 1, 1.0)
