import copy
import dataclasses
import math

import pytest
import torch

from mtst.config import TrainConfig
from mtst.data import UNLABELLED, Dataset
from mtst.encoders import load_encoder
from mtst.errors import DataError, ModelError, SettingsError
from mtst.events import Embedded, EpochEnded, Finished, Started, StepEnded
from mtst.features import LiveFeatures, PooledFeatures, features
from mtst.model import MultiTaskSentenceTransformer
from mtst.tasks import Task
from mtst.training import fit, split

HARSH = {"batch_size": 4, "head_rate": 0.3}


@pytest.fixture
def tiny(tiny_encoder, swapped):
    """The tasks of `swapped` on a tiny random encoder."""
    return MultiTaskSentenceTransformer(tiny_encoder, swapped.tasks)


def timeless(events):
    return [dataclasses.replace(event, seconds=0.0) if hasattr(event, "seconds") else event for event in events]


def weights(model):
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


def equal(some, others):
    return all(torch.equal(some[name], others[name]) for name in some)


def mood(labels):
    """Sentences with these labels for one task, and with a label for another task each."""
    tasks = (Task("mood", ("glad", "sad")), Task("topic", ("x", "y")))
    texts = tuple(f"sentence {'and ' * n}" for n in range(len(labels)))
    topics = tuple(n % 2 for n in range(len(labels)))
    return Dataset(texts, tasks, {"mood": tuple(labels), "topic": topics}, tuple(range(len(labels))))


# --- the stream of events


def test_events_come_in_order_and_tell_the_whole_run(tiny, swapped):
    events = list(fit(tiny, swapped, TrainConfig(epochs=2, batch_size=5)))
    kinds = [event.kind for event in events]
    assert kinds == ["started", "embedded", "epoch", *["step"] * 3, "epoch", *["step"] * 3, "epoch", "finished"]
    started = events[0]
    assert (started.train_rows, started.validation_rows) == tuple(map(len, split(swapped, TrainConfig())))
    assert (started.epochs, started.steps, started.cached) == (2, 6, True)
    assert [task.name for task in started.tasks] == ["topic", "place"]
    assert [event.step for event in events if isinstance(event, StepEnded)] == [1, 2, 3, 4, 5, 6]
    assert [(event.epoch, event.step) for event in events if isinstance(event, EpochEnded)] == [(0, 0), (1, 3), (2, 6)]
    seconds = [event.seconds for event in events[1:]]
    assert seconds == sorted(seconds)


def test_embedding_is_told_part_by_part_and_can_be_stopped(monkeypatch, tiny, swapped):
    monkeypatch.setattr("mtst.training.ROWS_AT_ONCE", 6)
    run = fit(tiny, swapped, TrainConfig(epochs=2))
    assert isinstance(next(run), Started)
    assert [(event.rows, event.total) for event in (next(run), next(run))] == [(6, 16), (12, 16)]
    finished = run.send(True)
    assert isinstance(finished, Finished)
    assert finished.stopped
    assert finished.best_epoch == 0


def test_scores_tell_how_many_rows_they_are_of(tiny, swapped):
    first, second = [event for event in fit(tiny, swapped, TrainConfig(epochs=1)) if isinstance(event, EpochEnded)]
    assert first.train == {}
    train, held_out = split(swapped, TrainConfig())
    assert {scores.rows for scores in second.train.values()} == {len(train)}
    assert {scores.rows for scores in second.validation.values()} == {len(held_out)}


@pytest.mark.parametrize("scenario", ["freeze-encoder", "train-all"])
def test_a_seed_repeats_a_run_and_another_does_not(tiny, swapped, scenario):
    def run(seed):
        model = copy.deepcopy(tiny)
        return timeless(fit(model, swapped, TrainConfig(scenario, epochs=2, seed=seed, **HARSH))), weights(model)

    (events, model), (again, same_model), (other, _) = run(3), run(3), run(4)
    assert events == again
    assert equal(model, same_model)
    assert events != other


def test_training_learns(fresh_encoder, sample):
    model = MultiTaskSentenceTransformer(fresh_encoder, sample.tasks)
    epochs = [event for event in fit(model, sample, TrainConfig(epochs=8)) if isinstance(event, EpochEnded)]
    for task in sample.tasks:
        assert epochs[-1].train[task.name].loss < 0.7 * epochs[1].train[task.name].loss


def test_the_encoder_learns_under_a_frozen_head(swapped_model, swapped):
    config = TrainConfig("freeze-head:topic", epochs=4, batch_size=4, encoder_rate=1e-3)
    epochs = [event for event in fit(swapped_model, swapped, config) if isinstance(event, EpochEnded)]
    assert epochs[-1].train["topic"].loss < 0.7 * epochs[1].train["topic"].loss


def test_looking_up_a_frozen_encoder_gives_the_losses_of_computing_it(monkeypatch, swapped):
    model = MultiTaskSentenceTransformer(load_encoder(fp32=True), swapped.tasks)

    def live(encoder, texts, *, frozen):
        assert frozen
        source = LiveFeatures(encoder, texts)
        source.lengths = [1] * len(texts)  # so that the batches are the same
        return source

    def losses(model):
        events = fit(model, swapped, TrainConfig(epochs=3, batch_size=4))
        return [event.losses for event in events if isinstance(event, StepEnded)]

    looked_up = losses(copy.deepcopy(model))
    monkeypatch.setattr("mtst.training.features", live)
    computed = losses(model)
    assert len(looked_up) == len(computed) > 0
    for some, others in zip(looked_up, computed, strict=True):
        assert some == pytest.approx(others, abs=1e-3)


def test_frozen_features_are_looked_up_and_others_computed(tiny_encoder):
    texts = ["one", "two words"]
    looked_up, computed = (features(tiny_encoder, texts, frozen=frozen) for frozen in (True, False))
    assert isinstance(looked_up, PooledFeatures)
    assert not looked_up.batch([1]).requires_grad
    assert computed.batch([1]).requires_grad
    torch.testing.assert_close(looked_up.batch([1, 0]), computed.batch([1, 0]).detach(), atol=0.02, rtol=0.02)


def test_freezing_everything_only_measures(tiny, swapped):
    then = weights(tiny)
    events = list(fit(tiny, swapped, TrainConfig("freeze-all")))
    assert [type(event) for event in events] == [Started, Embedded, EpochEnded, Finished]
    assert events[-1].best_epoch == 0
    assert not events[-1].stopped
    assert set(events[-1].changes.values()) == {0.0}
    assert equal(then, weights(tiny))


# --- stopping, and the best weights


@pytest.mark.parametrize("scenario", ["freeze-encoder", "train-all"])
@pytest.mark.parametrize("ask", ["close", "send"])
def test_stopping_keeps_the_weights_of_the_best_epoch(tiny, swapped, scenario, ask):
    run = fit(tiny, swapped, TrainConfig(scenario, epochs=50, encoder_rate=0.01, **HARSH))
    kept, best, seen = None, -1.0, 0
    event = next(run)
    while seen < 4 or not isinstance(event, StepEnded):
        event = next(run)
        if isinstance(event, EpochEnded):
            seen = event.epoch
            score = sum(found.macro_f1 for found in event.validation.values())
            if score > best:
                best, kept, number = score, weights(tiny), event.epoch
    assert not equal(kept, weights(tiny))
    if ask == "close":
        run.close()
    else:
        event = run.send(True)
        assert isinstance(event, Finished)
        assert event.stopped
        assert event.best_epoch == number
    assert equal(kept, weights(tiny))
    assert not any(module.training for module in tiny.modules())


@pytest.mark.parametrize("after", [Started, Embedded, EpochEnded, StepEnded])
def test_a_stop_is_heard_after_any_event(tiny, swapped, after):
    run = fit(tiny, swapped, TrainConfig(epochs=5, **HARSH))
    assert isinstance(next(event for event in run if isinstance(event, after)), after)
    events = [run.send(True), *run]
    assert isinstance(events[-1], Finished)
    assert events[-1].stopped
    assert sum(isinstance(event, StepEnded) for event in events) <= 1


def test_a_run_that_came_to_its_end_was_not_stopped(tiny, swapped):
    run = fit(tiny, swapped, TrainConfig(epochs=1, batch_size=64))
    events = [next(run) for _ in range(5)]
    assert events[-1].epoch == 1
    assert not run.send(True).stopped


# --- labels that are missing


def test_a_run_where_some_batches_lack_a_task_has_finite_losses(tiny_encoder):
    data = mood([0, 1] * 2 + [UNLABELLED] * 6)
    model = MultiTaskSentenceTransformer(tiny_encoder, data.tasks)
    events = list(fit(model, data, TrainConfig(epochs=2, batch_size=1)))
    steps = [event.losses for event in events if isinstance(event, StepEnded)]
    assert {tuple(losses) for losses in steps} == {("topic",), ("mood", "topic")}
    assert all(math.isfinite(loss) for losses in steps for loss in losses.values())
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())


def test_a_batch_without_any_label_is_passed_over(tiny_encoder):
    data = mood([0, 1] * 3)
    nothing = dataclasses.replace(data, labels=data.labels | {"topic": (UNLABELLED,) * 6, "mood": (0, 1, -1, -1, 0, 1)})
    model = MultiTaskSentenceTransformer(tiny_encoder, data.tasks)
    events = list(fit(model, nothing, TrainConfig(epochs=1, batch_size=1)))
    assert isinstance(events[-1], Finished)
    assert {} in [event.losses for event in events if isinstance(event, StepEnded)]


# --- what is refused


@pytest.mark.parametrize(
    ("rows", "why"), [([0], "two different texts"), ([0, 0], "two different texts"), ([0, 1], "nothing to tell apart"),
                      ([0, 8], "No label has two")]
)  # fmt: skip
def test_what_cannot_be_learnt_and_checked_is_refused(tiny, swapped, rows, why):
    with pytest.raises(DataError, match=why):
        next(fit(tiny, swapped.take(rows)))


@pytest.mark.parametrize("share", [0.001, 0.999])
def test_three_sentences_are_enough_whatever_share_is_held_out(tiny, swapped, share):
    events = list(fit(tiny, swapped.take([0, 1, 8]), TrainConfig(epochs=1, validation_share=share)))
    assert (events[0].train_rows, events[0].validation_rows) == (2, 1)
    assert isinstance(events[-1], Finished)


def test_tasks_that_are_not_the_models_are_refused(tiny, sample):
    with pytest.raises(ModelError, match="tasks"):
        next(fit(tiny, sample))


def test_an_unknown_scenario_is_refused(tiny, swapped):
    with pytest.raises(SettingsError, match="'freeze-head:mood'"):
        next(fit(tiny, swapped, TrainConfig("freeze-head:mood")))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("epochs", -3),
        ("epochs", 1001),
        ("batch_size", 0),
        ("batch_size", 4097),
        ("head_rate", 0.0),
        ("head_rate", 1.5),
        ("encoder_rate", -1e-4),
        ("encoder_rate", math.nan),
        ("validation_share", 0.0),
        ("validation_share", 1.0),
        ("validation_share", math.nan),
        ("seed", -1),
        ("seed", 2**32),
    ],
)
def test_an_absurd_setting_is_refused_with_its_name_and_value(name, value):
    with pytest.raises(SettingsError) as caught:
        TrainConfig(**{name: value})
    assert name in str(caught.value)
    assert repr(value) in str(caught.value)


def test_a_loss_that_is_no_number_ends_the_run_with_the_best_weights_so_far(tiny, swapped):
    then = weights(tiny)
    run = fit(tiny, swapped, TrainConfig(epochs=1, **HARSH))
    assert [type(next(run)) for _ in range(3)] == [Started, Embedded, EpochEnded]
    with torch.no_grad():
        tiny.heads[1].weight.fill_(math.nan)
    with pytest.raises(ModelError, match=r"step 1 .*Lower the learning rates"):
        next(run)
    assert equal(then, weights(tiny))
