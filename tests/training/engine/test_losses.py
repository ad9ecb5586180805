import copy
from dataclasses import replace

import pytest
import torch
from torch.nn.functional import cross_entropy

from mtst.data.dataset import UNLABELLED
from mtst.errors import SettingsError
from mtst.training.config import TrainConfig
from mtst.training.engine.losses import JointLoss, task_sums
from mtst.training.events import EpochEnded, StepEnded
from mtst.training.fitting import fit

NONE = {}


def mean(sums):
    return sums[0] / sums[1]


def known(logits, target):
    rows = target != UNLABELLED
    return logits[rows], target[rows]


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("weights", [None, [0.5, 3.0, 1.0]])
@pytest.mark.parametrize(
    "target", [[0, 1, 2, 2, 0], [0, UNLABELLED, 2, UNLABELLED, 1], [UNLABELLED, 2, UNLABELLED, UNLABELLED, UNLABELLED]]
)
def test_a_loss_is_the_mean_over_the_labelled_rows_alone(target, weights, smoothing):
    logits, target = torch.randn(5, 3), torch.tensor(target)
    weights = None if weights is None else torch.tensor(weights)
    sums = task_sums({"a": logits}, {"a": target}, {} if weights is None else {"a": weights}, smoothing)["a"]
    expected = cross_entropy(*known(logits, target), weights, label_smoothing=smoothing)
    torch.testing.assert_close(mean(sums), expected)


def test_the_gradient_is_that_of_the_mean_and_none_for_unlabelled_rows():
    logits = torch.randn(4, 3, requires_grad=True)
    target, weights = torch.tensor([0, UNLABELLED, 2, 1]), torch.tensor([1.0, 2.0, 3.0])
    sums = task_sums({"a": logits}, {"a": target}, {"a": weights}, 0.1)["a"]
    (found,) = torch.autograd.grad(mean(sums), logits)
    (expected,) = torch.autograd.grad(cross_entropy(*known(logits, target), weights, label_smoothing=0.1), logits)
    torch.testing.assert_close(found, expected)
    assert not found[1].any()


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weights", [NONE, {"a": torch.tensor([0.5, 3.0])}])
def test_the_parts_of_a_batch_add_up_to_the_whole(weights, smoothing):
    logits = {"a": torch.randn(7, 2), "b": torch.randn(7, 3)}
    targets = {"a": torch.tensor([0, 1, UNLABELLED, 1, 0, 0, 1]), "b": torch.tensor([2, UNLABELLED, 1, 0, 0, 1, 2])}
    whole = task_sums(logits, targets, weights, smoothing)
    parts = [
        task_sums(
            {name: values[rows] for name, values in logits.items()},
            {name: values[rows] for name, values in targets.items()},
            weights,
            smoothing,
        )
        for rows in (slice(0, 7, 3), slice(1, 7, 3), slice(2, 7, 3), slice(7, 7))
    ]
    for name, sums in whole.items():
        torch.testing.assert_close(sum(part[name] for part in parts), sums)


@pytest.mark.parametrize("target", [[], [UNLABELLED] * 3])
def test_no_labelled_row_gives_no_loss_and_no_gradient(target):
    logits = torch.randn(len(target), 3, requires_grad=True)
    for weights in (NONE, {"a": torch.ones(3)}):
        sums = task_sums({"a": logits}, {"a": torch.tensor(target, dtype=torch.long)}, weights, 0.1)["a"]
        assert sums.tolist() == [0.0, 0.0]
        assert not torch.autograd.grad(sums[0], logits)[0].any()


def test_weights_are_those_of_their_own_task():
    logits = {"a": torch.randn(4, 2), "b": torch.randn(4, 2)}
    targets = {"a": torch.tensor([0, 1, 1, 1]), "b": torch.tensor([0, 1, 1, 0])}
    plain, weighed = task_sums(logits, targets), task_sums(logits, targets, {"b": torch.tensor([3.0, 1.0])})
    assert torch.equal(plain["a"], weighed["a"])
    assert not torch.equal(plain["b"], weighed["b"])


# --- the joint loss


def losses(**values):
    return {name: torch.tensor(value) for name, value in values.items()}


def test_tasks_are_summed_by_their_weights():
    joint = JointLoss(("a", "b", "c"), {"a": 2.0, "c": 0.0})
    assert joint(losses(a=1.5, b=0.25, c=9.0)).item() == pytest.approx(3.25)
    assert joint.weights == {"a": 2.0, "b": 1.0, "c": 0.0}
    assert not any(parameter.requires_grad for parameter in joint.parameters())


def test_a_task_that_has_no_loss_or_does_not_guide_is_passed_over():
    joint = JointLoss(("a", "b"), {})
    assert joint(losses(b=0.25, other=7.0)).item() == 0.25
    assert joint(losses(other=7.0)) is None
    assert joint({}) is None


def test_a_learned_weight_begins_at_one_and_has_the_gradient_of_its_formula():
    joint = JointLoss(("a", "b"), {}, learned=True)
    assert joint.weights == {"a": 1.0, "b": 1.0}
    found = joint(losses(a=2.0, b=0.25))
    assert found.item() == pytest.approx(2.25)
    found.backward()
    assert joint.log_variances.grad.tolist() == pytest.approx([0.5 - 2.0, 0.5 - 0.25])


def test_a_learned_weight_follows_exp_of_minus_s():
    joint = JointLoss(("a", "b"), {"b": 3.0}, learned=True)
    with torch.no_grad():
        joint.log_variances.copy_(torch.tensor([0.5, -1.0]))
    expected = {"a": 2.718281828**-0.5, "b": 3 * 2.718281828}
    assert joint.weights == pytest.approx(expected)
    found = joint(losses(a=2.0, b=0.25)).item()
    assert found == pytest.approx(2 * expected["a"] + 0.25 + 0.25 * expected["b"] - 3 * 0.5)


def test_a_task_of_noisy_labels_comes_to_weigh_less():
    joint = JointLoss(("clear", "noisy"), {}, learned=True)
    optimizer = torch.optim.Adam(joint.parameters(), lr=0.05)
    for _ in range(400):
        optimizer.zero_grad()
        joint(losses(clear=0.1, noisy=1.6)).backward()
        optimizer.step()
    # the minimum of exp(-s) loss + s / 2 lies where the weight is 1 / (2 loss)
    assert joint.weights == pytest.approx({"clear": 5.0, "noisy": 1 / 3.2}, rel=0.02)


# --- in a run


@pytest.mark.parametrize("scenario", ["freeze-encoder", "train-all"])
def test_a_task_that_weighs_nothing_does_not_move_its_head(tiny, swapped, scenario):
    then = tiny.heads[1].weight.detach().clone()
    for event in fit(tiny, swapped, TrainConfig(scenario, epochs=2, task_weights={"place": 0.0}), baselines=False):
        assert torch.equal(tiny.heads[1].weight, then)
        if isinstance(event, StepEnded):
            assert set(event.losses) == {"topic", "place"}  # told all the same
        if isinstance(event, EpochEnded):
            assert event.weights["topic"] == 1
            assert not event.weights.get("place")
    assert event.kind == "finished"


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_the_encoder_follows_the_labels_of_a_task_only_if_it_weighs_something(calm, tiny, swapped, weight):
    calm(tiny)
    flipped = {"topic": swapped.labels["topic"], "place": tuple(1 - label for label in swapped.labels["place"])}
    config = TrainConfig("train-all", epochs=3, batch_size=4, encoder_rate=3e-3, task_weights={"place": weight})
    found = []
    for data in (swapped, replace(swapped, labels=flipped)):
        events = fit(copy.deepcopy(tiny), data, config, baselines=False)
        found.append([event.losses["topic"] for event in events if isinstance(event, StepEnded)])
    assert (found[0] == found[1]) == (weight == 0)


def test_learned_weights_are_reported_and_move(tiny, swapped):
    config = TrainConfig(epochs=3, batch_size=4, learn_weights=True)
    epochs = [event.weights for event in fit(tiny, swapped, config, baselines=False) if isinstance(event, EpochEnded)]
    assert epochs[0] == {"topic": 1.0, "place": 1.0}
    assert all(epochs[-1][task] != 1.0 for task in ("topic", "place"))
    assert not any("log_variances" in name for name, _ in tiny.named_parameters())


@pytest.mark.parametrize("weights", [{"topic": -1.0}, {"topic": float("nan")}, {"topic": float("inf")}])
def test_a_weight_that_makes_no_sense_is_refused(weights):
    with pytest.raises(SettingsError, match="'topic'"):
        TrainConfig(task_weights=weights)
