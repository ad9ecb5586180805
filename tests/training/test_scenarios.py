import math
from dataclasses import fields

import pytest

from mtst.data.tasks import Task
from mtst.errors import SettingsError
from mtst.training.budget import REFERENCE_ROWS
from mtst.training.config import TrainConfig
from mtst.training.planning import peak_rates
from mtst.training.scenarios import find_scenario, list_scenarios, resolve

TASKS = (Task("topic", ("food", "sports")), Task("place", ("kitchen", "work")))
BLOCKS = tuple(f"block-{n}" for n in range(6))
LAYERS = ("embeddings", *BLOCKS)
HEADS = ("head:topic", "head:place")
KEYS = (*LAYERS, *HEADS)
DENSE = (*LAYERS, "dense", *HEADS)
FIXED = (
    "freeze-encoder", "top-k", "gradual", "train-all", "discriminative", "lora", "bitfit", "few-examples",
    "freeze-all", "custom",
)  # fmt: skip
ALL = (*FIXED, "freeze-head:topic", "freeze-head:place")


def opening(key, keys=KEYS, **config):
    """The epoch at which each group opens."""
    return resolved(key, keys, **config).opening


def resolved(key, keys=KEYS, rows=REFERENCE_ROWS, **config):
    return resolve(TrainConfig(key, **config), find_scenario(key, TASKS), keys, rows)


def at_once(*keys):
    return dict.fromkeys(keys, 1)


# --- the table


def test_every_scenario_is_listed_once_with_words_that_explain_it():
    table = list_scenarios(TASKS)
    assert tuple(table) == ALL
    for key, scenario in table.items():
        assert scenario.key == key
        assert all((scenario.title, scenario.meaning, scenario.consequence, scenario.when))
    for words in ("title", "meaning", "consequence", "when"):
        texts = [getattr(table[key], words) for key in FIXED]
        assert len(set(texts)) == len(texts)


def test_a_head_that_can_be_frozen_is_called_by_its_name():
    table = list_scenarios(TASKS)
    for task in TASKS:
        scenario = table[f"freeze-head:{task.name}"]
        assert all(str(task) in words for words in (scenario.title, scenario.meaning))


@pytest.mark.parametrize("key", ["", "freeze", "freeze-head:", "freeze-head:other", "Train-All", "top_k"])
def test_an_unknown_scenario_is_refused_with_those_that_are(key):
    with pytest.raises(SettingsError) as caught:
        find_scenario(key, TASKS)
    assert repr(key) in str(caught.value)
    assert all(known in str(caught.value) for known in ALL)


# --- what opens


@pytest.mark.parametrize(
    ("key", "opened"),
    [
        ("freeze-all", ()),
        ("freeze-encoder", HEADS),
        ("top-k", ("block-4", "block-5", *HEADS)),
        ("train-all", KEYS),
        ("discriminative", KEYS),
        ("lora", (*BLOCKS, *HEADS)),
        ("bitfit", KEYS),
        ("few-examples", KEYS),
        ("freeze-head:topic", (*LAYERS, "head:place")),
        ("freeze-head:place", (*LAYERS, "head:topic")),
    ],
)
def test_what_opens_from_the_start(key, opened):
    assert opening(key) == at_once(*opened)


@pytest.mark.parametrize(
    ("count", "blocks"), [(1, BLOCKS[5:]), (3, BLOCKS[3:]), (6, BLOCKS), (7, BLOCKS), (1000, BLOCKS)]
)
def test_the_top_blocks_open_and_never_the_embeddings(count, blocks):
    assert opening("top-k", top_blocks=count) == at_once(*blocks, *HEADS)
    assert opening("top-k", DENSE, top_blocks=count) == at_once(*blocks, "dense", *HEADS)


def test_an_encoder_without_blocks_opens_as_a_whole_at_its_top():
    assert opening("top-k", ("encoder", *HEADS)) == at_once("encoder", *HEADS)


def test_gradual_opens_the_heads_and_then_one_group_after_another_from_the_top():
    expected = {f"block-{n}": 7 - n for n in range(6)} | {"embeddings": 8}
    assert opening("gradual") == expected | at_once(*HEADS)
    dense = opening("gradual", DENSE)
    assert dense == {"dense": 2} | {key: epoch + 1 for key, epoch in expected.items()} | at_once(*HEADS)


@pytest.mark.parametrize("each", [1, 2, 3])
def test_gradual_waits_as_many_epochs_as_configured(each):
    found = opening("gradual", epochs_per_group=each)
    assert [found[key] for key in reversed(LAYERS)] == [1 + each * n for n in range(1, 8)]


@pytest.mark.parametrize("epochs", [1, 2, 5, 8, 20])
def test_what_would_open_after_the_last_epoch_stays_frozen(epochs):
    found = opening("gradual", epochs=epochs)
    layers = [key for key in reversed(LAYERS) if key in found]
    assert layers == list(reversed(LAYERS))[: epochs - 1]
    assert set(HEADS) <= set(found)
    assert max(found.values()) <= epochs


def test_custom_opens_what_was_chosen_and_nothing_else():
    chosen = ("head:place", "embeddings", "block-2")
    assert opening("custom", open_groups=chosen) == at_once(*chosen)


def test_an_unknown_group_is_refused_with_those_that_are():
    with pytest.raises(SettingsError) as caught:
        opening("custom", open_groups=("block-2", "block-6"))
    assert "'block-6'" in str(caught.value)
    assert all(key in str(caught.value) for key in KEYS)


def test_nothing_chosen_is_refused_with_what_to_choose_instead():
    with pytest.raises(SettingsError, match="freeze-all"):
        opening("custom")


def test_what_was_chosen_does_not_matter_elsewhere():
    assert opening("train-all", open_groups=("no group",)) == at_once(*KEYS)


# --- what is left to the scenario


@pytest.mark.parametrize("key", [key for key in ALL if key != "custom"])
def test_a_resolved_config_has_every_value(key):
    config = resolved(key)
    assert all(getattr(config, field.name) is not None for field in fields(config))
    assert (config.epochs == 0) == (key == "freeze-all")


def test_a_scenario_knows_what_suits_it():
    heads, all_layers, less = (resolved(key) for key in ("freeze-encoder", "train-all", "discriminative"))
    assert heads.head_rate > all_layers.head_rate > all_layers.encoder_rate
    assert heads.warm_up == 0
    assert (all_layers.layer_decay, less.layer_decay) == (1.0, 0.7)


def test_patience_keeps_the_best_epoch():
    assert resolved("few-examples").epoch_rule == resolved("freeze-encoder").epoch_rule == "last"
    assert resolved("train-all").epoch_rule == "settled"
    assert {resolved(key, patience=3).epoch_rule for key in ALL if key != "custom"} == {"best"}


@pytest.mark.parametrize("key", ["freeze-encoder", "discriminative", "gradual"])
def test_what_was_chosen_is_kept_zero_too(key):
    chosen = {
        "head_rate": 0.5, "encoder_rate": 0.25, "layer_decay": 0.125, "warm_up": 0.0, "weight_decay": 0.0, "epochs": 9,
        "seed": 4,
    }  # fmt: skip
    config = resolved(key, **chosen)
    assert {name: getattr(config, name) for name in chosen} == chosen


# --- how long, and how fast


@pytest.mark.parametrize("key", ["top-k", "train-all", "gradual", "freeze-head:topic"])
def test_more_rows_take_more_steps_in_fewer_epochs(key):
    few, many = resolved(key, rows=80), resolved(key, rows=2000)
    assert few.epochs > 2 * many.epochs
    assert few.epochs * few.steps_per_epoch(80) < many.epochs * many.steps_per_epoch(2000)


def test_the_steps_do_not_depend_on_the_size_of_the_batch():
    configs = [resolved("train-all", batch_size=size) for size in (8, 32, 64)]
    steps = [config.epochs * config.steps_per_epoch(REFERENCE_ROWS) for config in configs]
    assert max(steps) - min(steps) <= max(config.steps_per_epoch(REFERENCE_ROWS) for config in configs)


def test_the_encoder_learns_more_slowly_the_more_steps_it_takes():
    rates = [resolved("top-k", rows=rows).encoder_rate for rows in (128, 256, 512)]
    assert rates[0] / rates[1] == pytest.approx(rates[1] / rates[2]) == pytest.approx(math.sqrt(2))
    assert resolved("top-k", rows=10).encoder_rate == pytest.approx(4 * resolved("top-k", rows=10**6).encoder_rate)
    assert resolved("top-k", rows=100, encoder_rate=0.25).encoder_rate == 0.25
    assert resolved("few-examples", rows=100).encoder_rate == resolved("few-examples", rows=1600).encoder_rate


def test_all_groups_of_gradual_open_and_stay_open_for_a_while():
    many = resolved("gradual", rows=100_000, epochs_per_group=3)
    assert many.epochs == many.last_opening + 1 == 23
    assert set(many.opening) == set(KEYS)


def test_a_run_ends_early_only_if_its_length_was_left_to_the_scenario():
    assert resolved("train-all").patience < resolved("train-all").epochs
    assert resolved("train-all", epochs=9).patience == math.inf
    assert resolved("train-all", epochs=9, patience=2).patience == 2
    assert resolved("train-all", patience=2).patience == 2
    assert [resolved(key).patience for key in ("freeze-encoder", "few-examples", "freeze-all")] == [math.inf] * 3


# --- the rates


def test_each_group_of_the_encoder_learns_more_slowly_than_the_one_above_it():
    config = resolved("discriminative", encoder_rate=0.5, head_rate=0.25, layer_decay=0.5)
    found = peak_rates(DENSE, config)
    layers = [found[key] for key in ("dense", *reversed(LAYERS))]
    assert layers == [0.5 * 0.5**depth for depth in range(8)]
    assert [found[key] for key in HEADS] == [0.25, 0.25]


@pytest.mark.parametrize("key", ["train-all", "gradual", "top-k"])
def test_elsewhere_all_groups_of_the_encoder_learn_alike(key):
    found = peak_rates(KEYS, resolved(key, encoder_rate=0.5, head_rate=0.25))
    assert found == dict.fromkeys(LAYERS, 0.5) | dict.fromkeys(HEADS, 0.25)


def test_rates_can_fall_in_any_scenario():
    found = peak_rates(KEYS, resolved("gradual", encoder_rate=0.5, layer_decay=0.1))
    assert found["block-4"] == pytest.approx(0.05)
