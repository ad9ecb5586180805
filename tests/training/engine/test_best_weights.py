import pytest
import torch
from torch import nn

from mtst.evaluation.scores import Scores
from mtst.model.layer_groups import Group
from mtst.training.engine.best_weights import BestWeights


@pytest.fixture
def head():
    weight = nn.Parameter(torch.ones(2))
    return Group("head:a", "a head", (weight,), (), "a"), weight


def update(best, weight, epoch, score):
    with torch.no_grad():
        weight.fill_(epoch)
    scores = {"a": Scores(100, 0.5, score, score, score, score, score, 0.1)}
    return best.update(epoch, scores, {"a": torch.full((1, 1), float(epoch))})


@pytest.mark.parametrize(("rule", "epoch"), [("best", 1), ("settled", 2), ("last", 3)])
def test_the_chosen_weights_are_put_back(head, rule, epoch):
    group, weight = head
    best = BestWeights([group], rule)
    best.restore()  # there is nothing yet
    assert weight.tolist() == [1.0, 1.0]
    for number, score in enumerate([0.1, 0.5, 0.48, 0.2]):
        update(best, weight, number, score)
    best.restore()
    assert (best.selection.best_epoch, best.selection.highest_epoch, best.logits["a"].item()) == (epoch, 1, epoch)
    assert weight.tolist() == [epoch] * 2


@pytest.mark.parametrize("now", [1, 2])
def test_what_was_kept_survives_a_new_process(head, now):
    group, weight = head
    before = BestWeights([group], "best")
    for epoch, score in enumerate([0.1, 0.5, 0.2][: now + 1]):
        update(before, weight, epoch, score)
    state = {
        part: {name: value.clone() for name, value in tensors.items()}
        for part, tensors in before.state_dict(now).items()
    }
    selection = before.selection.state_dict()
    with torch.no_grad():
        weight.fill_(7)
    after = BestWeights([group], "best")
    after.load_state_dict(state, selection)
    assert weight.tolist() == [now] * 2
    assert not update(after, weight, 3, 0.5)
    after.restore()
    assert weight.tolist() == [1.0, 1.0]
    assert (after.selection.best_epoch, after.selection.highest_epoch, after.logits["a"].item()) == (1, 1, 1.0)
