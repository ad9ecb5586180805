from dataclasses import replace

import pytest
import torch

from mtst.comparison.events import (
    Attempt,
    AttemptEnded,
    AttemptEpoch,
    Compared,
    ComparisonStarted,
    LearningCurve,
    plan_attempts,
)
from mtst.comparison.results import Comparison
from mtst.comparison.runner import compare_scenarios
from mtst.data.dataset import UNLABELLED
from mtst.data.split import stratified_split
from mtst.data.tasks import Task
from mtst.encoders.loading import load_encoder
from mtst.errors import DataError, SettingsError
from mtst.evaluation.metrics import evaluate
from mtst.evaluation.scores import mean_macro_f1
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.runs.job import Job
from mtst.runs.report import build_comparison_report
from mtst.training.config import TrainConfig, split
from mtst.training.engine.feature_cache import FeatureCache
from mtst.training.events import Resumed
from mtst.training.fitting import fit
from mtst.training.scenarios import comparable_scenarios
from mtst.ui.scenarios.html_report import html_report

CONFIG = TrainConfig(epochs=2, batch_size=8, top_blocks=1)
SCENARIOS = ("freeze-all", "freeze-encoder", "gradual", "train-all", "top-k")  # what costs little, then by public sets


def events_of(encoder, data, attempts, race=False, **more):
    return list(compare_scenarios(encoder, data, CONFIG, attempts, race=race, **more))


@pytest.fixture(scope="module")
def compared(tiny_folder, sample):
    """A comparison of all scenarios in `SCENARIOS` with two seeds, shared: no test changes it."""
    torch.manual_seed(0)
    comparison = Comparison()
    attempts = plan_attempts(SCENARIOS[::-1], 2, sample, "top-k")
    comparison.extend(events_of(load_encoder(str(tiny_folder())), sample, attempts))
    return comparison


def test_every_scenario_is_tried_with_every_seed_in_turn_and_each_task_alone(compared):
    assert [(one.attempt.scenario, one.attempt.seed, one.attempt.task) for one in compared.ended] == [
        *((key, 0, None) for key in SCENARIOS), ("top-k", 0, "topic"), ("top-k", 0, "sentiment"),
        *((key, 1, None) for key in SCENARIOS), ("top-k", 1, "topic"), ("top-k", 1, "sentiment"),
    ]  # fmt: skip
    assert compared.is_over
    assert compared.current is None
    assert [row.scenario for row in compared.results] == list(SCENARIOS)
    assert all(len(row.scores) == 2 for row in compared.results)
    assert set(compared.alone_and_together()) == {"topic", "sentiment"}
    assert set(compared.ended[5].test) == {"topic"}
    assert compared.folds == 1


def test_what_each_task_is_learnt_alone_in_is_tried_with_all_of_them_too(sample):
    wanted = plan_attempts(("freeze-all",), 1, sample, "top-k")
    assert [(one.scenario, one.task) for one in wanted] == [
        ("freeze-all", None),
        ("top-k", None),
        ("top-k", "topic"),
        ("top-k", "sentiment"),
    ]


def test_all_are_judged_by_the_same_rows_which_none_has_seen(compared, sample):
    started = compared.started
    rest, test = stratified_split(sample, 0.2, CONFIG.seed)
    train, held_out = split(rest, CONFIG)
    assert not {*train.texts, *held_out.texts} & {*test.texts}
    assert (started.train_rows, started.validation_rows) == (len(train), len(held_out))
    assert started.truth == test.labels
    assert all(len(one.predicted["topic"]) == len(test) for one in compared.ended if one.attempt.task != "sentiment")


def test_an_attempt_is_what_fit_gives_by_itself(compared, tiny_folder, sample):
    rest, test = stratified_split(sample, 0.2, CONFIG.seed)
    train, held_out = split(rest, CONFIG)
    for key in ("freeze-encoder", "gradual", "train-all"):
        model = MultiTaskSentenceTransformer(load_encoder(str(tiny_folder())), sample.tasks)
        *_, finished = fit(model, train, replace(CONFIG, scenario=key, seed=1), baselines=False, validation=held_out)
        (one,) = (one for one in compared.ended if one.attempt == Attempt(key, 1))
        assert one.best_epoch == finished.best_epoch
        assert mean_macro_f1(one.test) == pytest.approx(mean_macro_f1(evaluate(model, test)))
        assert {name: scores.loss for name, scores in one.test.items()} == pytest.approx(
            {name: scores.loss for name, scores in evaluate(model, test).items()}, abs=1e-4
        )


def test_the_encoder_is_as_it_was_afterwards(tiny_encoder, sample):
    before = {name: value.clone() for name, value in tiny_encoder.state_dict().items()}
    embeddings = tiny_encoder.encode(sample.texts)
    events = compare_scenarios(tiny_encoder, sample, CONFIG, plan_attempts(("train-all", "freeze-encoder"), 1, sample))
    for event in events:
        if isinstance(event, AttemptEpoch) and event.epoch == 1:
            events.close()  # in the middle of what moves it
            break
    assert all(torch.equal(value, before[name]) for name, value in tiny_encoder.state_dict().items())
    assert (tiny_encoder.encode(sample.texts) == embeddings).all()


def test_what_is_frozen_is_passed_through_once(tiny_encoder, sample):
    found = events_of(tiny_encoder, sample, plan_attempts(("freeze-encoder", "top-k"), 2, sample))
    ended = {one.attempt: one for one in found if isinstance(one, AttemptEnded)}
    assert ended[Attempt("freeze-encoder", 0)].spared > 0  # the baselines had needed it
    assert ended[Attempt("freeze-encoder", 1)].spared > 0
    assert ended[Attempt("top-k", 0)].spared > 0  # a few of its steps had been timed
    assert ended[Attempt("top-k", 1)].spared > 0
    assert all(one.seconds >= one.spared for one in ended.values())


def test_shared_features_change_no_loss(tiny_encoder, sample):
    train, held_out = split(sample, CONFIG)
    cache, losses = FeatureCache(sample.texts), []
    weights = {name: value.clone() for name, value in tiny_encoder.state_dict().items()}
    for features in (None, cache, cache):
        tiny_encoder.load_state_dict(weights)
        model = MultiTaskSentenceTransformer(tiny_encoder, sample.tasks)
        events = fit(model, train, replace(CONFIG, scenario="gradual"), validation=held_out, feature_cache=features)
        losses.append([sum(event.losses.values()) for event in events if event.kind == "step"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)  # other rows lie in the same batch
    assert losses[1] == losses[2]
    assert cache.seconds_saved > 0


def test_it_stops_when_asked_and_goes_on_with_what_is_left(tiny_encoder, sample):
    wanted = plan_attempts(SCENARIOS, 1, sample)
    comparison = Comparison()

    def in_third_attempt():
        return any(epoch.attempt.scenario == "gradual" for epoch in comparison.epochs)

    for event in compare_scenarios(tiny_encoder, sample, CONFIG, wanted, should_stop=in_third_attempt):
        comparison.extend([event])
    assert comparison.is_over
    assert not comparison.is_complete
    assert [one.attempt.scenario for one in comparison.ended] == ["freeze-all", "freeze-encoder"]
    comparison.extend([Resumed(0, 0)])
    assert not comparison.is_over
    assert {epoch.attempt.scenario for epoch in comparison.epochs} == {"freeze-all", "freeze-encoder"}
    comparison.extend(events_of(tiny_encoder, sample, wanted, done=comparison))
    assert [one.attempt.scenario for one in comparison.ended] == list(SCENARIOS)
    assert comparison.is_complete


def test_adapters_are_not_left_behind_and_only_what_trained_is_counted(tiny_encoder, sample):
    then = {name: weight.detach().clone() for name, weight in tiny_encoder.backbone.named_parameters()}
    wanted = plan_attempts(("lora", "train-all", "bitfit"), 1, sample)
    events = events_of(tiny_encoder, sample, wanted)
    now = dict(tiny_encoder.backbone.named_parameters())
    assert list(now) == list(then)
    assert all(torch.equal(now[name], weight) for name, weight in then.items())
    alone = events_of(tiny_encoder, sample, wanted[1:2])
    ended = {event.attempt.scenario: event for event in events if isinstance(event, AttemptEnded)}
    everything = ended["train-all"]
    assert next(event for event in alone if isinstance(event, AttemptEnded)).predicted == everything.predicted
    assert ended["bitfit"].parameters < ended["lora"].parameters < everything.parameters


def test_a_frozen_head_is_followed(tiny_encoder, sample):
    comparison = Comparison()
    comparison.extend(events_of(tiny_encoder, sample, plan_attempts(("freeze-all", "freeze-head:topic"), 1, sample)))
    rows = {row.scenario: row for row in comparison.results}
    change = rows["freeze-head:topic"].tasks["topic"] - rows["freeze-all"].tasks["topic"]
    assert rows["freeze-head:topic"].frozen_heads == {"topic": pytest.approx(change)}
    assert rows["freeze-all"].frozen_heads == {}


def test_a_task_that_no_test_row_has_a_label_for_is_left_out_of_the_answer(tiny_encoder, sample):
    rows = sample.take(range(60))
    mood = Task("mood", ("glad", "sad"))
    tasks = (rows.tasks[0], mood)
    labels = {tasks[0].name: rows.labels[tasks[0].name], "mood": (0, 1, *[UNLABELLED] * 58)}
    data = replace(rows, tasks=tasks, labels=labels)
    comparison = Comparison()
    wanted = plan_attempts(("freeze-all", "freeze-encoder", "freeze-head:mood"), 1, data, "freeze-encoder")
    comparison.extend(events_of(tiny_encoder, data, wanted))
    assert set(comparison.started.truth["mood"]) == {UNLABELLED}
    by_key = {row.scenario: row for row in comparison.results}
    assert by_key["freeze-head:mood"].frozen_heads == {}
    assert set(by_key["freeze-all"].tasks) == {"topic"}
    assert set(comparison.alone_and_together()) == {"topic"}
    job = Job("tiny", CONFIG, "few.csv", kind="compare", scenarios=tuple(by_key), alone="freeze-encoder")
    assert build_comparison_report(job, data, comparison)["recommendation"]
    assert "Too few labelled rows for separate training: mood." in html_report(job, data, comparison)


def test_test_rows_without_any_label_are_refused(tiny_encoder, sample):
    nothing = {name: tuple(UNLABELLED for _ in labels) for name, labels in sample.labels.items()}
    with pytest.raises(DataError, match="None of the rows to judge by has a label"):
        events_of(tiny_encoder, sample, plan_attempts(("freeze-all",), 1, sample), test=replace(sample, labels=nothing))


def test_a_test_file_of_its_own_takes_no_rows_away(tiny_encoder, sample):
    data, test = sample.take(range(40)), sample.take(range(40, 60))
    (started,) = (
        event
        for event in events_of(tiny_encoder, data, plan_attempts(("freeze-all",), 1, data), test=test)
        if isinstance(event, ComparisonStarted)
    )
    assert started.train_rows + started.validation_rows == 40
    assert started.truth == test.labels


def test_the_events_come_in_order(tiny_encoder, sample):
    kinds = [type(event) for event in events_of(tiny_encoder, sample, plan_attempts(("freeze-encoder",), 1, sample))]
    assert kinds[-6:] == [ComparisonStarted, LearningCurve, *[AttemptEpoch] * 3, AttemptEnded, Compared][-6:]


@pytest.mark.parametrize(
    ("scenarios", "seeds", "words"),
    [((), 1, "at least one"), (("freeze-all",), 0, "1 to 10 seeds, not 0"), (("unfreeze",), 1, "'unfreeze'")],
)
def test_what_cannot_be_compared_is_refused(sample, scenarios, seeds, words):
    with pytest.raises(SettingsError, match=words):
        plan_attempts(scenarios, seeds, sample)


def test_too_little_to_judge_by_is_refused(tiny_encoder, sample):
    with pytest.raises(DataError):
        events_of(tiny_encoder, sample.take([0]), plan_attempts(("freeze-all",), 1, sample))


def test_all_scenarios_but_that_of_a_choice_can_be_compared(sample):
    assert "custom" not in comparable_scenarios(sample.tasks)
    assert {"freeze-encoder", "few-examples", "lora", "bitfit", "freeze-head:topic", "freeze-head:sentiment"} <= set(
        comparable_scenarios(sample.tasks)
    )
