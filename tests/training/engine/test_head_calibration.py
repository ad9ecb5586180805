import pytest
import torch
from torch import nn

from mtst.data.dataset import UNLABELLED
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training.config import TrainConfig
from mtst.training.engine.head_calibration import calibrate_head
from mtst.training.events import StepEnded
from mtst.training.fitting import fit
from tests.support.stopping import Stop


def head_of(weight):
    head = nn.Linear(len(weight[0]), len(weight))
    with torch.no_grad():
        head.weight.copy_(torch.tensor(weight))
        head.bias.zero_()
    return head


def loss_of(head, rows, labels):
    return nn.functional.cross_entropy(head(rows), labels).item()


def rows_of(labels, told):
    """Embeddings that tell the label of a row on their first axes if `told`, and nothing of it else."""
    draw = torch.Generator().manual_seed(0)
    rows = 0.3 * torch.randn(len(labels), 4, generator=draw)
    if told:
        rows[range(len(labels)), labels] += 1
    return rows


LABELS = torch.tensor([0, 1, 1, 1] * 50)
WORDS = [[3.0, 0.0, 0.0, 0.0], [0.0, 3.0, 0.0, 0.0]]


def test_words_that_tell_nothing_come_to_weigh_nothing():
    head, rows = head_of(WORDS), rows_of(LABELS, told=False)
    calibrate_head(head, rows, LABELS)
    assert head.weight.norm() < 0.4 * torch.tensor(WORDS).norm()
    assert head(rows).softmax(1).mean(0).tolist() == pytest.approx([0.25, 0.75], abs=0.03)


def test_words_that_tell_the_labels_are_trusted_more():
    head, rows = head_of([[0.1 * one for one in row] for row in WORDS]), rows_of(LABELS, told=True)
    before = loss_of(head, rows, LABELS)
    calibrate_head(head, rows, LABELS)
    assert head.weight.norm() > 0.5 * torch.tensor(WORDS).norm()
    assert loss_of(head, rows, LABELS) < before / 2


def test_a_word_keeps_its_direction():
    head = head_of(WORDS)
    calibrate_head(head, rows_of(LABELS, told=True), LABELS)
    assert torch.cosine_similarity(head.weight, torch.tensor(WORDS)).tolist() == pytest.approx([1.0, 1.0])


def test_rows_without_a_label_count_for_nothing():
    rows = rows_of(LABELS, told=True)
    alone, among = head_of(WORDS), head_of(WORDS)
    calibrate_head(alone, rows, LABELS)
    calibrate_head(among, torch.cat([rows, torch.randn(9, 4)]), torch.cat([LABELS, torch.full((9,), UNLABELLED)]))
    assert among.weight.tolist() == alone.weight.tolist()
    assert among.bias.tolist() == alone.bias.tolist()


def test_weights_make_a_rare_label_count_as_much():
    head, rows = head_of(WORDS), rows_of(LABELS, told=False)
    calibrate_head(head, rows, LABELS, [2.0, 2 / 3])
    assert head(rows).softmax(1).mean(0).tolist() == pytest.approx([0.5, 0.5], abs=0.03)


@pytest.mark.parametrize("labels", [[1] * 3, [UNLABELLED] * 3])
def test_rows_of_one_label_or_none_leave_finite_numbers(labels):
    head = head_of(WORDS)
    calibrate_head(head, torch.randn(3, 4), torch.tensor(labels))
    assert head.weight.isfinite().all()
    assert head.bias.isfinite().all()


# --- in a run


def started(model, data, scenario="freeze-encoder", **config):
    """How many times as long the weights of each head are at the first step, whose own change is far too small."""
    before = [head.weight.detach().norm() for head in model.heads]
    run = fit(model, data, TrainConfig(scenario, head_rate=1e-9, encoder_rate=1e-9, **config), baselines=False)
    next(event for event in run if isinstance(event, StepEnded))
    now = [head.weight.detach().norm() for head in model.heads]
    run.close()
    return [(after / first).item() for after, first in zip(now, before, strict=True)]


UNCHANGED = pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("scenario", ["freeze-encoder", "gradual"])
def test_zero_shot_heads_begin_as_far_as_their_words_can_be_trusted(tiny, swapped, scenario):
    assert all(factor != UNCHANGED for factor in started(tiny, swapped, scenario))


@pytest.mark.parametrize("scenario", ["top-k", "train-all", "freeze-head:topic"])
def test_heads_under_an_encoder_that_opens_at_once_begin_as_they_are(tiny, swapped, scenario):
    assert started(tiny, swapped, scenario, top_blocks=1) == [UNCHANGED, UNCHANGED]


@pytest.mark.parametrize(
    ("scenario", "config"),
    [("custom", {"open_groups": ("head:place",)}), ("freeze-encoder", {"task_weights": {"topic": 0}})],
)
def test_a_head_that_does_not_train_or_does_not_count_is_left_alone(tiny, swapped, scenario, config):
    topic, place = started(tiny, swapped, scenario, **config)
    assert topic == UNCHANGED
    assert place != UNCHANGED


def test_heads_that_have_learnt_are_left_alone(tiny, swapped):
    list(fit(tiny, swapped, TrainConfig(epochs=1), baselines=False))
    assert started(tiny, swapped) == [UNCHANGED, UNCHANGED]


def test_a_balanced_run_trusts_words_for_rare_labels_too(tiny, swapped):
    data = swapped.take([row for row in range(len(swapped)) if row % 4 or swapped.labels["topic"][row]])
    other = MultiTaskSentenceTransformer(tiny.encoder, data.tasks)
    assert started(other, data, balance="class-weights")[0] != pytest.approx(started(tiny, data)[0], abs=1e-4)


def test_the_untrained_model_is_measured_as_it_was_and_comes_back_so(tiny, swapped):
    before = [head.weight.detach().clone() for head in tiny.heads]
    stop = Stop()
    for event in fit(tiny, swapped, TrainConfig(), baselines=False, should_stop=stop):
        if isinstance(event, StepEnded):
            stop.set()
    assert event.best_epoch == 0
    assert all(torch.equal(head.weight, first) for head, first in zip(tiny.heads, before, strict=True))
