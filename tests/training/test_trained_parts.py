"""Scenarios in which only a part of an open group trains: biases, or adapters that are merged at the end."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from mtst.encoders.adapters import RANK
from mtst.encoders.loading import load_encoder
from mtst.errors import SettingsError
from mtst.model.layer_groups import model_groups
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training.config import TrainConfig
from mtst.training.engine.best_weights import load_best
from mtst.training.engine.checkpoint import Checkpoint
from mtst.training.epoch_selection import EpochSelection
from mtst.training.events import EpochEnded, Finished, StepEnded
from mtst.training.fitting import fit
from mtst.training.planning import plan
from tests.support.stopping import Stop

HARSH = {"epochs": 3, "batch_size": 4, "head_rate": 0.03, "encoder_rate": 1e-2, "decay": "constant"}
PARTIAL = pytest.mark.parametrize("scenario", ["lora", "bitfit"])
KINDS = ["bert", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("roberta", "distilbert", "mpnet"))]


def encoder_weights(model):
    return {name: parameter.detach().clone() for name, parameter in model.encoder.backbone.named_parameters()}


def same(weights, others):
    """The names of the weights that are bit for bit the same."""
    assert list(weights) == list(others)
    return {name for name in weights if torch.equal(weights[name], others[name])}


def may_move(model, scenario):
    """The names of the encoder's weights that a scenario may change, merged adapters included."""
    backbone = model.encoder.backbone
    layers = {name for group in model.encoder.groups for name in group.parameters}
    if scenario == "bitfit":
        return {name for name in layers if name.endswith("bias")}
    linear = {f"{name}.weight" for name, module in backbone.named_modules() if isinstance(module, nn.Linear)}
    return layers & linear


@PARTIAL
@pytest.mark.parametrize("kind", KINDS)
def test_only_the_part_trains_and_the_model_is_plain_afterwards(tiny_folder, swapped, scenario, kind):
    model = MultiTaskSentenceTransformer(load_encoder(str(tiny_folder(kind))), swapped.tasks)
    then, embedded = encoder_weights(model), model.encode(swapped.texts)
    modules = [(name, type(module)) for name, module in model.named_modules()]
    losses = []
    for event in fit(model, swapped, TrainConfig(scenario, **HARSH), baselines=False):
        if isinstance(event, EpochEnded) and event.train:
            losses.append(event.train["topic"].loss)
    assert event.best_epoch > 0
    assert min(losses) < losses[0]
    assert np.abs(model.encode(swapped.texts) - embedded).max() > 1e-3
    assert then.keys() - same(then, encoder_weights(model)) == may_move(model, scenario)
    assert [(name, type(module)) for name, module in model.named_modules()] == modules
    assert not hasattr(model.encoder.backbone, "peft_config")
    proof = {row.key: row for row in event.proof}
    for planned in plan(model, TrainConfig(scenario), 16):
        row, partial = proof[planned.key], planned.open and planned.task is None
        assert row.part == planned.part
        assert (row.part is not None) == partial
        assert row.rest_same == (True if partial else None)
        assert (row.change > 0) == (not row.same) == planned.open


@PARTIAL
def test_what_is_not_to_train_does_not_move_in_any_step(tiny, swapped, scenario):
    groups = model_groups(tiny)
    kept = {id(p): p for group in groups for p in group.parameters if not group.is_head}
    named = {id(p): name for name, p in tiny.encoder.backbone.named_parameters()}
    fixed = {key: p for key, p in kept.items() if scenario == "lora" or not named[key].endswith("bias")}
    then = {key: p.detach().clone() for key, p in fixed.items()}
    planned = sum(group.trained for group in plan(tiny, TrainConfig(scenario), 16))
    for event in fit(tiny, swapped, TrainConfig(scenario, **HARSH), baselines=False):
        if isinstance(event, StepEnded):
            assert all(torch.equal(p, then[key]) for key, p in fixed.items())
            learning = [p for p in tiny.parameters() if p.requires_grad]
            assert sum(p.numel() for p in learning) == planned
            assert all(p.grad is not None for p in learning)


def test_a_block_of_the_bundled_encoder_trains_what_its_linear_layers_and_biases_say(encoder):
    model = MultiTaskSentenceTransformer(encoder)
    parts = {key: {g.key: g.part for g in plan(model, TrainConfig(key), 16)} for key in ("lora", "bitfit", "train-all")}
    assert parts["lora"]["block-0"] == RANK * (4 * (384 + 384) + 2 * (384 + 1536))
    assert parts["bitfit"]["block-0"] == 4 * 384 + 1536 + 384 + 2 * 384
    assert parts["bitfit"]["embeddings"] == 384
    assert parts["lora"]["embeddings"] is None
    assert set(parts["train-all"].values()) == {None}
    assert {group.key: group.open for group in plan(model, TrainConfig("lora"), 16)}["embeddings"] is False


@pytest.mark.parametrize("ask", ["close", "should_stop", "fail"])
def test_however_a_run_ends_its_adapters_are_merged_and_gone(tiny, swapped, ask):
    tiny.encoder.fp32 = True  # a merged matrix is rounded otherwise than W x + s B A x
    then, stop, selection = encoder_weights(tiny), Stop(), EpochSelection("settled")
    run = fit(tiny, swapped, TrainConfig("lora", **HARSH | {"epochs": 50}), baselines=False, should_stop=stop)
    seen, embedded = 0, None
    while seen < 3:
        event = next(run)
        if isinstance(event, EpochEnded):
            seen = event.epoch
            if selection.update(seen, event.validation):
                embedded = tiny.encode(swapped.texts)
    assert isinstance(next(run), StepEnded)
    assert selection.best_epoch
    if ask == "close":
        run.close()
    elif ask == "should_stop":
        stop.set()
        *_, finished = run
        assert isinstance(finished, Finished)
        assert finished.best_epoch == selection.best_epoch
    else:
        with pytest.raises(ZeroDivisionError):
            run.throw(ZeroDivisionError())
    assert then.keys() - same(then, encoder_weights(tiny)) == may_move(tiny, "lora")
    np.testing.assert_allclose(tiny.encode(swapped.texts), embedded, atol=1e-5)


@PARTIAL
def test_a_run_that_keeps_the_untrained_model_leaves_every_bit(tiny, swapped, scenario):
    then = encoder_weights(tiny)
    run = fit(tiny, swapped, TrainConfig(scenario, **HARSH))
    while not isinstance(next(run), StepEnded):
        pass
    run.close()
    assert same(then, encoder_weights(tiny)) == then.keys()


def test_a_run_that_is_refused_leaves_the_model_as_it_is(tiny, swapped):
    names = list(encoder_weights(tiny))
    with pytest.raises(SettingsError):
        next(fit(tiny, swapped, TrainConfig("lora", task_weights={"topic": 0, "place": 0})))
    assert list(encoder_weights(tiny)) == names
    assert all(parameter.requires_grad for parameter in tiny.parameters())


@PARTIAL
def test_a_checkpoint_holds_the_part_alone_and_gives_the_best_model(tiny, swapped, scenario, tmp_path):
    whole, again, file = copy.deepcopy(tiny), tiny, tmp_path / "checkpoint.safetensors"
    config = TrainConfig(scenario, **HARSH)
    *_, finished = fit(whole, swapped, config, checkpoint=file)
    state = Checkpoint.read(file).parts
    assert sum(tensor.numel() for tensor in state["now"].values()) == sum(g.trained for g in plan(whole, config, 16))
    assert finished.best_epoch
    load_best(again, config, state)
    assert same(encoder_weights(whole), encoder_weights(again)) == encoder_weights(whole).keys()
    assert all(map(torch.equal, whole.heads.parameters(), again.heads.parameters()))


def test_a_pass_in_training_mode_goes_through_the_adapters(calm, tiny, swapped):
    """Also where the sentences of a batch lie end to end, without padding."""
    calm(tiny)
    for event in fit(tiny, swapped, TrainConfig("lora", **HARSH), baselines=False):
        if isinstance(event, EpochEnded) and event.epoch == 2:
            assert tiny.encoder._runner.packs
            passed = tiny.encoder.embed(tiny.encoder.tokenize(swapped.texts))
            assert passed.requires_grad
            np.testing.assert_allclose(passed.detach().numpy(), tiny.encode(swapped.texts), atol=1e-2)
            assert event.drift > 0


@PARTIAL
def test_an_encoder_that_has_no_such_part_is_refused_with_what_to_choose(tiny, swapped, scenario):
    for module in list(tiny.encoder.backbone.modules()):
        for name, child in list(module.named_children()):
            if scenario == "lora" and isinstance(child, nn.Linear):
                setattr(module, name, nn.Identity())
            elif scenario == "bitfit" and getattr(child, "bias", None) is not None:
                child.bias = None
    with_less = copy.deepcopy(tiny)
    present = dict(with_less.encoder.backbone.named_parameters()).keys()
    with_less.encoder.groups = tuple(
        type(group)(group.key, group.title, tuple(name for name in group.parameters if name in present))
        for group in with_less.encoder.groups
    )
    with pytest.raises(SettingsError, match="Choose another scenario"):
        next(fit(with_less, swapped, TrainConfig(scenario)))
