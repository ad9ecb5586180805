import math
import random

import pytest
import torch
from torch.nn.functional import cross_entropy

from mtst.config import TrainConfig
from mtst.data import UNLABELLED
from mtst.freezing import find_scenario, freeze
from mtst.model import MultiTaskSentenceTransformer
from mtst.optimization import Best, Optimizer, batches, task_losses


@pytest.fixture
def tiny(tiny_encoder, swapped):
    """The tasks of `swapped` on a tiny random encoder."""
    return MultiTaskSentenceTransformer(tiny_encoder, swapped.tasks)


def shuffler(seed):
    return random.Random(seed)  # noqa: S311 (an order, not a secret)


# --- losses


def test_a_row_without_a_label_does_not_change_the_loss_of_its_task():
    logits = {"mood": torch.randn(3, 4), "topic": torch.randn(3, 2)}
    targets = {"mood": torch.tensor([1, UNLABELLED, 3]), "topic": torch.tensor([0, 1, 1])}
    losses = task_losses(logits, targets)
    alone = task_losses({"mood": logits["mood"][[0, 2]]}, {"mood": targets["mood"][[0, 2]]})
    assert torch.equal(losses["mood"], alone["mood"])
    assert losses["topic"] == cross_entropy(logits["topic"], targets["topic"])


def test_a_task_without_a_label_in_the_batch_is_left_out():
    logits = {"mood": torch.randn(2, 4), "topic": torch.randn(2, 2)}
    targets = {"mood": torch.tensor([UNLABELLED] * 2), "topic": torch.tensor([0, 1])}
    assert set(task_losses(logits, targets)) == {"topic"}


@pytest.mark.parametrize("weights", [{}, {"mood": torch.tensor([0.001, 1000.0])}])
@pytest.mark.parametrize("targets", [[UNLABELLED] * 3, [0, UNLABELLED, UNLABELLED], [1, 1, 1]])
def test_a_loss_is_a_number_or_absent_whatever_the_labels_and_the_weights(weights, targets):
    logits = {"mood": torch.tensor([[90.0, -90.0], [0.0, 0.0], [-1.0, 1.0]], requires_grad=True)}
    losses = task_losses(logits, {"mood": torch.tensor(targets)}, weights)
    assert set(losses) == ({"mood"} if max(targets) >= 0 else set())
    for loss in losses.values():
        loss.backward()
        assert loss.isfinite()
        assert torch.isfinite(logits["mood"].grad).all()


def test_weights_are_those_of_their_own_task():
    logits = {"mood": torch.randn(4, 2), "topic": torch.randn(4, 2)}
    targets = {"mood": torch.tensor([0, 1, 1, 1]), "topic": torch.tensor([0, 1, 1, UNLABELLED])}
    plain, weighed = task_losses(logits, targets), task_losses(logits, targets, {"topic": torch.tensor([3.0, 1.0])})
    assert torch.equal(plain["mood"], weighed["mood"])
    rows = logits["topic"][[0, 0, 0, 1, 2]]
    assert weighed["topic"] == pytest.approx(cross_entropy(rows, torch.tensor([0, 0, 0, 1, 1])).item())


def test_weights_of_one_make_no_difference():
    logits, targets = {"mood": torch.randn(4, 2)}, {"mood": torch.tensor([0, 1, UNLABELLED, 1])}
    found = task_losses(logits, targets, {"mood": torch.ones(2)})
    torch.testing.assert_close(found, task_losses(logits, targets))


# --- batches


@pytest.mark.parametrize(("count", "size"), [(0, 4), (1, 4), (7, 3), (1000, 8)])
def test_batches_are_a_permutation_of_the_right_sizes(count, size):
    lengths = [(n * 37) % 50 for n in range(count)]
    made = batches(range(count), lengths, size, shuffler(1))
    assert sorted(place for batch in made for place in batch) == list(range(count))
    assert len(made) == math.ceil(count / size)
    assert sorted((len(batch) for batch in made), reverse=True)[:-1] == [size] * (len(made) - 1)
    assert all(made)


def test_batches_hold_similar_lengths_in_random_order():
    lengths = [(n * 37) % 101 for n in range(1024)]
    made = batches(range(1024), lengths, 16, shuffler(1))
    spread = [max(lengths[n] for n in batch) - min(lengths[n] for n in batch) for batch in made]
    assert sum(spread) / len(spread) < 15
    means = [sum(lengths[n] for n in batch) for batch in made]
    assert means != sorted(means)
    assert made != batches(range(1024), lengths, 16, shuffler(2))
    assert made == batches(range(1024), lengths, 16, shuffler(1))


def test_a_place_that_was_drawn_twice_is_in_two_batches_or_twice_in_one():
    made = batches([3, 3, 1], [5, 5, 5, 5], 2, shuffler(1))
    assert sorted(place for batch in made for place in batch) == [1, 3, 3]


# --- rates and the best weights


@pytest.mark.parametrize("scenario", ["freeze-encoder", "train-all"])
def test_rates_peak_at_what_was_asked_and_fall_to_nothing(tiny, scenario):
    config = TrainConfig(scenario, head_rate=0.5, encoder_rate=0.25)
    chosen = find_scenario(scenario, tiny.tasks)
    optimizer = Optimizer(freeze(tiny, chosen), chosen, config, steps=40)
    rates = []
    for _ in range(40):
        rates.append([group["lr"] for group in optimizer._adamw.param_groups])
        optimizer.step(sum(parameter.sum() for parameter in tiny.parameters() if parameter.requires_grad))
    peaks = [max(column) for column in zip(*rates, strict=True)]
    assert peaks == [0.25] * (len(peaks) - 2) + [0.5, 0.5]
    assert (rates[0] == peaks) == (scenario == "freeze-encoder")
    assert max(rates[-1]) < 0.02 * max(peaks)


def test_best_keeps_the_first_of_equals_and_puts_it_back(tiny):
    opened = freeze(tiny, find_scenario("freeze-encoder", tiny.tasks))
    best = Best(opened)
    best.restore()
    parameter = tiny.heads[0].bias
    for epoch, score in enumerate([0.1, 0.5, 0.5, 0.4]):
        with torch.no_grad():
            parameter.fill_(epoch)
        best.offer(epoch, score)
    best.restore()
    assert best.epoch == 1
    assert set(parameter.tolist()) == {1.0}
