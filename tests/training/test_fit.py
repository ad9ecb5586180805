import copy
import dataclasses
import math
import random

import numpy as np
import pytest
import torch

from mtst.data.dataset import UNLABELLED, Dataset
from mtst.data.tasks import Task
from mtst.errors import DataError, ModelError, SettingsError
from mtst.model.layer_groups import model_groups
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training.config import TrainConfig, split
from mtst.training.epoch_selection import EpochSelection
from mtst.training.events import Baselines, Embedded, EpochEnded, Finished, Opened, Started, StepEnded
from mtst.training.fitting import fit
from tests.support.stopping import Stop

SLOW = pytest.mark.slow
HARSH = {"batch_size": 4, "head_rate": 0.3}


def timeless(events):
    return [dataclasses.replace(event, seconds=0.0) if hasattr(event, "seconds") else event for event in events]


def weights(model):
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


def equal(some, others):
    return all(torch.equal(some[name], others[name]) for name in some)


def moved_after_an_epoch(model, data, config):
    """The keys of the groups that the first epoch moves, kept or not."""
    groups = model_groups(model)
    then = {group.key: [part.detach().clone() for part in group.parameters] for group in groups}
    for event in fit(model, data, config, baselines=False):
        if isinstance(event, EpochEnded) and event.epoch == 1:
            return {group.key for group in groups if not all(map(torch.equal, group.parameters, then[group.key]))}
    return None


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
    assert kinds[:4] == ["started", "embedded", "baselines", "embedded"]
    assert kinds[4:] == ["epoch", *["step"] * 3, "epoch", *["step"] * 3, "epoch", "finished"]
    started = events[0]
    assert (started.train_rows, started.validation_rows) == tuple(map(len, split(swapped, TrainConfig())))
    assert (started.epochs, started.steps, started.cached) == (2, 6, "embeddings")
    assert started.precision == tiny.encoder.precision
    assert [task.name for task in started.tasks] == ["topic", "place"]
    assert [event.step for event in events if isinstance(event, StepEnded)] == [1, 2, 3, 4, 5, 6]
    assert [(event.epoch, event.step) for event in events if isinstance(event, EpochEnded)] == [(0, 0), (1, 3), (2, 6)]
    seconds = [event.seconds for event in events[1:]]
    assert seconds == sorted(seconds)
    assert not events[-1].stopped
    assert not events[-1].early


@pytest.mark.parametrize(
    ("scenario", "kept"),
    [
        ("freeze-encoder", "embeddings"),
        ("freeze-all", "embeddings"),
        ("gradual", "embeddings"),
        ("top-k", "hidden states"),
        ("train-all", "nothing"),
        ("discriminative", "nothing"),
        ("lora", "nothing"),
        ("few-examples", "nothing"),
        ("freeze-head:topic", "nothing"),
    ],
)
def test_the_start_tells_what_is_computed_once(tiny, swapped, scenario, kept):
    assert next(fit(tiny, swapped, TrainConfig(scenario, top_blocks=1))).cached == kept


def test_embedding_reports_its_progress_and_can_be_stopped(monkeypatch, tiny, swapped):
    monkeypatch.setattr("mtst.training.engine.feature_cache.ROWS_PER_PART", 6)
    run = fit(tiny, swapped, TrainConfig(epochs=2), baselines=False, should_stop=Stop(after=3))
    started, *embedded, finished = run
    assert isinstance(started, Started)
    assert [(event.rows, event.total) for event in embedded] == [(6, 16), (12, 16)]
    assert isinstance(finished, Finished)
    assert finished.stopped
    assert finished.best_epoch == 0
    assert finished.confusion == {}


def test_scores_tell_how_many_rows_they_are_of(tiny, swapped):
    first, second = [event for event in fit(tiny, swapped, TrainConfig(epochs=1)) if isinstance(event, EpochEnded)]
    assert first.train == {}
    train, held_out = split(swapped, TrainConfig())
    assert {scores.rows for scores in second.train.values()} == {len(train)}
    assert {scores.rows for scores in second.validation.values()} == {len(held_out)}


EVERY_SCENARIO = pytest.mark.parametrize(
    "scenario",
    [
        "freeze-encoder",
        "top-k",
        "gradual",
        "train-all",
        "discriminative",
        "lora",
        "bitfit",
        "few-examples",
        "custom",
        "freeze-head:topic",
        "freeze-all",
    ],
)


@EVERY_SCENARIO
@pytest.mark.parametrize("balance", [pytest.param("none", marks=SLOW), "balanced-sampling"])
def test_a_seed_repeats_a_run_and_another_does_not(tiny, swapped, scenario, balance):
    chosen = ("block-1", "head:place") if scenario == "custom" else ()

    def run(seed):
        model = copy.deepcopy(tiny)
        config = TrainConfig(
            scenario,
            open_groups=chosen,
            epochs=3,
            top_blocks=1,
            balance=balance,
            learn_weights=True,
            seed=seed,
            **HARSH,
        )
        torch.manual_seed(random.randrange(1000))  # noqa: S311 (what went before must not matter)
        return timeless(fit(model, swapped, config)), weights(model)

    (events, model), (again, same_model), (other, _) = run(3), run(3), run(4)
    assert events == again
    assert equal(model, same_model)
    assert events != other


def test_dropout_differs_between_steps_and_runs_of_other_seeds_only(tiny, swapped):
    """One batch an epoch, of all rows: without dropout two seeds would begin with the same loss."""
    first = [
        next(
            e
            for e in fit(copy.deepcopy(tiny), data, TrainConfig("train-all", batch_size=64, seed=seed))
            if e.kind == "step"
        )
        for seed, data in ((0, swapped), (0, swapped), (1, swapped))
    ]
    assert first[0].losses == first[1].losses != first[2].losses


def test_training_learns(fresh_encoder, sample):
    model = MultiTaskSentenceTransformer(fresh_encoder, sample.tasks)
    epochs = [event for event in fit(model, sample, TrainConfig(epochs=8)) if isinstance(event, EpochEnded)]
    for task in sample.tasks:
        assert epochs[-1].train[task.name].loss < 0.7 * epochs[1].train[task.name].loss


@pytest.mark.parametrize(
    "scenario", ["gradual", *(pytest.param(key, marks=SLOW) for key in ("top-k", "train-all", "discriminative"))]
)
def test_opening_the_encoder_learns_too(swapped_model, swapped, scenario):
    config = TrainConfig(scenario, epochs=5, batch_size=4, encoder_rate=5e-4)
    epochs = [event for event in fit(swapped_model, swapped, config, baselines=False) if isinstance(event, EpochEnded)]
    for task in swapped.tasks:
        assert epochs[-1].train[task.name].loss < 0.5 * epochs[1].train[task.name].loss


def test_the_encoder_learns_under_a_frozen_head(swapped_model, swapped):
    config = TrainConfig("freeze-head:topic", epochs=4, batch_size=4, encoder_rate=1e-3)
    epochs = [event for event in fit(swapped_model, swapped, config) if isinstance(event, EpochEnded)]
    assert epochs[-1].train["topic"].loss < 0.7 * epochs[1].train["topic"].loss


def test_freezing_everything_only_measures(tiny, swapped):
    then = weights(tiny)
    events = list(fit(tiny, swapped, TrainConfig("freeze-all")))
    assert [type(event) for event in events] == [Started, Embedded, Baselines, Embedded, EpochEnded, Finished]
    assert (events[0].epochs, events[0].steps) == (0, 0)
    assert events[-1].best_epoch == 0
    assert not events[-1].stopped
    assert not events[-1].early
    assert all(proof.change == 0 and proof.same and proof.open_epochs is None for proof in events[-1].proof)
    assert set(events[-1].confusion) == {"topic", "place"}
    assert equal(then, weights(tiny))


# --- stopping, and the best weights


@pytest.mark.parametrize("scenario", ["freeze-encoder", "top-k", "gradual", "train-all"])
@pytest.mark.parametrize("ask", ["close", "should_stop"])
def test_stopping_keeps_the_weights_of_the_best_epoch(tiny, swapped, scenario, ask):
    stop = Stop()
    config = TrainConfig(scenario, epochs=50, top_blocks=1, encoder_rate=0.01, **HARSH)
    run = fit(tiny, swapped, config, should_stop=stop)
    event = next(run)
    kept, selection, seen = None, EpochSelection(event.keeps), 0
    while seen < 4 or not isinstance(event, StepEnded):
        event = next(run)
        if isinstance(event, EpochEnded):
            seen = event.epoch
            if selection.update(event.epoch, event.validation):
                kept = weights(tiny)
    assert not equal(kept, weights(tiny))
    if ask == "close":
        run.close()
    else:
        stop.set()
        event = next(run)
        assert isinstance(event, Finished)
        assert event.stopped
        assert event.best_epoch == selection.best_epoch
    assert equal(kept, weights(tiny))
    assert not any(module.training for module in tiny.modules())


@pytest.mark.parametrize("scenario", ["gradual", "top-k"])
@pytest.mark.parametrize("after", [Started, Embedded, Baselines, EpochEnded, Opened, StepEnded])
def test_a_stop_is_heard_after_any_event(tiny, swapped, after, scenario):
    stop = Stop()
    run = fit(tiny, swapped, TrainConfig(scenario, epochs=5, top_blocks=1, **HARSH), should_stop=stop)
    heard = next((event for event in run if isinstance(event, after)), None)
    if (after, scenario) == (Opened, "top-k"):
        assert heard is None  # nothing opens later
        return
    stop.set()
    events = list(run)
    assert [type(event) for event in events] == [Finished]
    assert events[-1].stopped
    assert not events[-1].early
    assert not any(module.training for module in tiny.modules())


def test_a_stop_before_a_group_opens_leaves_it_as_it_was(tiny, swapped):
    then = weights(tiny)
    stop = Stop()
    run = fit(tiny, swapped, TrainConfig("gradual", epochs=5, encoder_rate=0.01, **HARSH), should_stop=stop)
    while not (isinstance(event := next(run), Opened) and event.groups == ("block-0",)):
        pass
    stop.set()
    proof = {row.key: row for row in next(run).proof}
    assert proof["block-1"].open_epochs == (2, 2)
    assert proof["block-0"].open_epochs is proof["embeddings"].open_epochs is None
    assert proof["block-0"].same
    now = weights(tiny)
    assert all(torch.equal(now[name], then[name]) for name in then if "layer.0" in name or "embeddings" in name)


def test_a_run_that_came_to_its_end_was_not_stopped(tiny, swapped):
    stop = Stop()
    run = fit(tiny, swapped, TrainConfig(epochs=1, batch_size=64), baselines=False, should_stop=stop)
    events = [next(run) for _ in range(5)]
    assert events[-1].epoch == 1
    stop.set()
    assert not next(run).stopped


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
        ("top_blocks", 0),
        ("epochs_per_group", 0),
        ("layer_decay", 0.0),
        ("layer_decay", 1.1),
        ("warm_up", -0.1),
        ("warm_up", 1.1),
        ("weight_decay", -0.1),
        ("label_smoothing", 0.6),
        ("clip", -1.0),
        ("clip", math.nan),
        ("patience", 0),
        ("decay", "never"),
        ("balance", "evenly"),
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
    run = fit(tiny, swapped, TrainConfig(epochs=1, **HARSH), baselines=False)
    assert [type(next(run)) for _ in range(3)] == [Started, Embedded, EpochEnded]
    with torch.no_grad():
        tiny.heads[1].weight.fill_(math.nan)
    with pytest.raises(ModelError, match=r"step 1 .*Lower the learning rates"):
        next(run)
    assert equal(then, weights(tiny))


# --- what may be set freely


@pytest.mark.parametrize(
    ("name", "value"),
    [("clip", 0.0), ("clip", 1e9), ("warm_up", 1.0), ("weight_decay", 0.0), ("label_smoothing", 0.5), ("patience", 1)]
    + [("decay", way) for way in ("cosine", "linear", "constant")],
)
def test_the_ends_of_what_is_allowed_train(tiny, swapped, name, value):
    events = list(fit(tiny, swapped, TrainConfig("gradual", epochs=4, batch_size=4, **{name: value}), baselines=False))
    assert isinstance(events[-1], Finished)
    assert all(torch.isfinite(parameter).all() for parameter in tiny.parameters())


def test_losses_are_reported_without_smoothing(tiny, swapped):
    first = [
        next(
            event.losses
            for event in fit(copy.deepcopy(tiny), swapped, TrainConfig(batch_size=64, label_smoothing=smoothing))
            if isinstance(event, StepEnded)
        )
        for smoothing in (0.0, 0.4)
    ]
    assert first[0] == pytest.approx(first[1])


def test_smoothing_makes_a_model_less_sure(tiny, swapped):
    sure = []
    for smoothing in (0.0, 0.4):
        model = copy.deepcopy(tiny)
        for event in fit(model, swapped, TrainConfig(epochs=100, label_smoothing=smoothing, **HARSH)):
            if isinstance(event, EpochEnded):
                shares = model.predict(swapped.texts)["topic"].probabilities.max(axis=1).mean()
        sure.append(shares)
    assert sure[1] < sure[0] - 0.1


# --- patience


def epochs_of(events):
    return [event for event in events if isinstance(event, EpochEnded)]


@pytest.mark.parametrize("patience", [1, 3])
def test_training_stops_when_it_has_not_got_better_for_so_long(tiny, swapped, patience):
    events = list(fit(tiny, swapped, TrainConfig(epochs=60, patience=patience, **HARSH), baselines=False))
    finished, epochs = events[-1], epochs_of(events)
    assert finished.early
    assert not finished.stopped
    assert len(epochs) - 1 == finished.best_epoch + patience < 60
    assert all(row.open_epochs in (None, (1, epochs[-1].epoch)) for row in finished.proof)


def test_patience_keeps_the_best_epoch_where_the_last_would_be_kept(tiny, swapped):
    config = TrainConfig("few-examples", epochs=30, patience=2, encoder_rate=1e-9, head_rate=1e-9)
    events = list(fit(tiny, swapped, config, baselines=False))
    epochs = [event for event in events if isinstance(event, EpochEnded)]
    assert events[-1].early
    assert (events[-1].best_epoch, epochs[-1].epoch) == (1, 3)  # ahead of the untrained model if it is as good


def test_patience_that_is_longer_than_the_run_changes_nothing(tiny, swapped):
    events = list(fit(tiny, swapped, TrainConfig(epochs=3, patience=3, **HARSH), baselines=False))
    assert not events[-1].early
    assert len(epochs_of(events)) == 4


def test_patience_waits_until_all_groups_are_open(tiny, swapped):
    config = TrainConfig("gradual", epochs=30, epochs_per_group=3, patience=1, **HARSH)
    events = list(fit(tiny, swapped, config, baselines=False))
    opened = [event.epoch for event in events if isinstance(event, Opened)]
    assert opened == [4, 7, 10]
    last = epochs_of(events)[-1].epoch
    assert events[-1].early
    assert last == max(events[-1].best_epoch, opened[-1] - 1) + 1


@pytest.mark.parametrize("patience", [None, 3])
def test_the_weights_of_the_epoch_that_is_kept_come_back(tiny, swapped, patience):
    config = TrainConfig("train-all", epochs=8, patience=patience, encoder_rate=0.01, **HARSH)
    kept, selection = weights(tiny), EpochSelection("best" if patience else "settled")
    for event in fit(tiny, swapped, config, baselines=False):
        if isinstance(event, EpochEnded) and selection.update(event.epoch, event.validation):
            kept = weights(tiny)
    assert event.best_epoch == selection.best_epoch
    assert equal(kept, weights(tiny))


@pytest.mark.parametrize("stopped", [False, True])
def test_few_examples_keep_the_weights_of_the_last_epoch(tiny, swapped, stopped):
    stop = Stop()
    config = TrainConfig("few-examples", epochs=4, encoder_rate=0.01, **HARSH)
    run = fit(tiny, swapped, config, baselines=False, should_stop=stop)
    assert next(run).keeps == "last"
    epochs = 0
    for event in run:
        if isinstance(event, EpochEnded):
            kept, epochs = weights(tiny), event.epoch
        if stopped and isinstance(event, StepEnded) and epochs == 2:
            stop.set()
    assert (event.best_epoch, event.stopped) == ((2, True) if stopped else (4, False))
    assert equal(kept, weights(tiny))


# --- the loss of a frozen head


def first_step(model, data, **config):
    """The event of the first step, and the gradients that it took."""
    run = fit(model, data, TrainConfig(epochs=1, batch_size=64, **config), baselines=False)
    event = next(event for event in run if isinstance(event, StepEnded))
    gradients = {group.key: [part.grad for part in group.parameters] for group in model_groups(model)}
    return event, gradients, run


@pytest.mark.parametrize("kept", [True, False])
def test_the_loss_of_a_frozen_head_guides_the_encoder_only_if_it_is_kept(calm, tiny, swapped, kept):
    calm(tiny)
    flipped = {"topic": tuple(1 - label for label in swapped.labels["topic"]), "place": swapped.labels["place"]}
    losses, found = [], []
    for data in (swapped, dataclasses.replace(swapped, labels=flipped)):
        event, gradients, _ = first_step(
            copy.deepcopy(tiny), data, scenario="freeze-head:topic", frozen_head_loss=kept, clip=0.0
        )
        losses.append(event.losses)
        found.append(gradients["block-1"])
        assert gradients["head:topic"] == [None, None]
    assert losses[0]["topic"] != losses[1]["topic"]  # told in either case
    assert losses[0]["place"] == losses[1]["place"]
    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True)) != kept


def test_a_loss_that_does_not_guide_is_scored_and_has_no_weight(tiny, swapped):
    config = TrainConfig("freeze-head:topic", epochs=1, frozen_head_loss=False)
    last = epochs_of(fit(tiny, swapped, config))[-1]
    assert set(last.weights) == {"place"}
    assert set(last.train) == {"topic", "place"}


@pytest.mark.parametrize(
    "config",
    [
        {"scenario": "custom", "open_groups": ("block-0",), "frozen_head_loss": False},
        {"scenario": "freeze-encoder", "task_weights": {"topic": 0.0, "place": 0.0}},
        {"scenario": "freeze-head:topic", "frozen_head_loss": False, "task_weights": {"place": 0.0}},
    ],
)
def test_a_run_that_leaves_nothing_to_learn_from_is_refused(tiny, swapped, config):
    modes = [module.training for module in tiny.modules()]
    with pytest.raises(SettingsError, match="No task"):
        next(fit(tiny, swapped, TrainConfig(**config)))
    assert [module.training for module in tiny.modules()] == modes
    assert all(parameter.requires_grad for parameter in tiny.parameters())


def test_freezing_all_needs_nothing_to_learn_from(tiny, swapped):
    events = list(fit(tiny, swapped, TrainConfig("freeze-all", frozen_head_loss=False)))
    assert isinstance(events[-1], Finished)


def test_one_open_head_trains_on_batches_that_lack_its_labels(tiny_encoder):
    """Its loss is then absent, and that of the frozen head moves nothing."""
    data = mood([0, 1] * 3 + [UNLABELLED] * 6)
    model = MultiTaskSentenceTransformer(tiny_encoder, data.tasks)
    config = TrainConfig("custom", open_groups=("head:mood",), epochs=2, batch_size=1)
    events = list(fit(model, data, config, baselines=False))
    assert isinstance(events[-1], Finished)
    assert {row.key for row in events[-1].proof if not row.same} <= {"head:mood"}


# --- words that come up between the steps


@pytest.mark.parametrize("scenario", ["freeze-encoder", "top-k", "train-all"])
def test_embeddings_are_never_stale_during_and_after_training(tiny, swapped, scenario):
    texts = ["zebra xylophone", swapped.texts[0]]

    def check():
        uncached = tiny.encoder.encode_uncached(texts)
        np.testing.assert_allclose(tiny.encode(texts), np.stack([uncached[text] for text in texts]), atol=1e-6)

    check()
    for _event in fit(tiny, swapped, TrainConfig(scenario, top_blocks=1, epochs=2, batch_size=4)):
        check()
    check()
    assert tiny.encoder.weights_changed == (scenario != "freeze-encoder")


# --- what is asked for in vain


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (
            {"scenario": "custom", "open_groups": ("head:topic",), "task_weights": {"topic": 0.0}},
            "No task's loss is left to learn from",
        ),
        (
            {"scenario": "freeze-encoder", "task_weights": {"topic": 0.0, "place": 0.0}},
            "No task's loss is left to learn from",
        ),
        ({"task_weights": {"typo": 3.0}}, "task_weights names 'typo', which is none of the tasks topic, place"),
    ],
)
def test_a_run_that_could_learn_nothing_is_refused(tiny, swapped, config, words):
    then = weights(tiny)
    with pytest.raises(SettingsError, match=words):
        list(fit(tiny, swapped, TrainConfig(**config), baselines=False))
    assert equal(then, weights(tiny))


def test_a_frozen_head_may_guide_the_encoder_alone(tiny, swapped):
    config = TrainConfig("custom", open_groups=("block-1",), task_weights={"place": 0.0}, epochs=1)
    assert moved_after_an_epoch(tiny, swapped, config) == {"block-1"}


def test_a_model_can_be_used_on_the_graph_as_soon_as_the_run_says_that_it_has_finished(tiny, swapped):
    for event in fit(tiny, swapped, TrainConfig("train-all", epochs=2, batch_size=4), baselines=False):
        if isinstance(event, Finished):
            texts = [*swapped.texts, "zebra xylophone"]
            torch.testing.assert_close(
                tiny.encoder(texts).detach(), torch.from_numpy(tiny.encode(texts)), atol=1e-2, rtol=1e-2
            )


def test_weights_that_break_in_the_last_step_of_an_epoch_are_reported(tiny, swapped):
    events = fit(tiny, swapped, TrainConfig(epochs=1, batch_size=64), baselines=False)
    assert any(isinstance(event, StepEnded) for event in events)  # the first one
    with torch.no_grad():
        tiny.heads[0].weight.fill_(math.nan)
    with pytest.raises(ModelError, match="After epoch 1 the loss is not a number any more"):
        next(events)


def test_a_run_tells_whether_its_heads_have_learned_before(tiny, swapped):
    config = TrainConfig("freeze-encoder", epochs=1)
    (first, *_), (second, *_) = (list(fit(tiny, swapped, config, baselines=False)) for _ in range(2))
    assert (first.zero_shot, second.zero_shot) == (True, False)
