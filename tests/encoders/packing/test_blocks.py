import copy
from functools import cache
from itertools import product

import pytest
import torch
from torch import nn

from mtst.data.dataset import Dataset
from mtst.data.tasks import Task
from mtst.encoders.encoder import Encoder
from mtst.encoders.layers import find_blocks, first_tensor
from mtst.encoders.loading import load_encoder
from mtst.encoders.packing import attention
from mtst.encoders.packing.blocks import BlockRunner
from mtst.model.multitask import MultiTaskSentenceTransformer
from mtst.training.config import TrainConfig
from mtst.training.fitting import fit

PACKS = {"bert": True, "roberta": True, "distilbert": True, "mpnet": False}
EVERY_KIND = pytest.mark.parametrize(
    "kind",
    [
        "bert",
        "mpnet",
        pytest.param("roberta", marks=pytest.mark.slow),
        pytest.param("distilbert", marks=pytest.mark.slow),
    ],
)
BATCHES = {
    "one sentence": ["the striker scored twice"],
    "equal lengths": ["a b c", "d e f", "g h i"],
    "sorted": ["a", "a b", "a b", "the team lost the match in extra time"],
    "unsorted": ["the team lost the match", "", "a b", "the curry was too spicy to finish", "a"],
    "cut": ["the " * 100, "a b"],
}


@pytest.fixture(scope="module")
def exact(tiny_folder):
    """A tiny random encoder of a kind with three blocks, in 32 bits and in evaluation mode."""

    @cache
    def load(kind):
        encoder = load_encoder(str(tiny_folder(kind, blocks=3)), fp32=True)
        assert encoder.num_blocks == 3  # tries it out once for all copies
        return encoder

    return lambda kind: copy.deepcopy(load(kind))


def padded(encoder: Encoder, ids):
    """The embeddings as the published model computes them."""
    return encoder.backbone(encoder._batch(ids))["sentence_embedding"]


def states(encoder, ids, block):
    """What enters a block, as something that a pass on the graph can begin with."""
    return encoder.hidden_states(ids, block).clone()


def gradients(encoder, embeddings):
    """The gradient of a random direction, by the name of each parameter that has one."""
    torch.manual_seed(7)
    encoder.zero_grad(set_to_none=True)
    (embeddings * torch.randn(embeddings.shape)).sum().backward()
    return {name: part.grad for name, part in encoder.named_parameters() if part.grad is not None}


@pytest.mark.parametrize("kind", PACKS)
def test_sentences_are_packed_where_only_attention_mixes_tokens(exact, kind):
    encoder = exact(kind)
    assert encoder._runner.packs == PACKS[kind]
    assert encoder.num_blocks == 3


@EVERY_KIND
def test_embeddings_and_every_gradient_are_those_of_the_padded_pass(exact, kind):
    encoder = exact(kind)
    for texts in BATCHES.values():
        ids = encoder.tokenize(texts)
        embeddings, expected = encoder.embed(ids), padded(encoder, ids)
        torch.testing.assert_close(embeddings, expected, atol=1e-5, rtol=1e-4)
        packed_gradients, padded_gradients = gradients(encoder, embeddings), gradients(encoder, expected)
        assert packed_gradients.keys() == padded_gradients.keys()
        largest = max(gradient.abs().max() for gradient in padded_gradients.values())
        for name, gradient in packed_gradients.items():
            torch.testing.assert_close(gradient, padded_gradients[name], atol=1e-5 * largest, rtol=1e-3)


@EVERY_KIND
def test_a_pass_can_begin_at_any_block(exact, kind):
    encoder = exact(kind)
    for texts, block in product(BATCHES.values(), (1, 2)):
        ids = encoder.tokenize(texts)
        hidden = states(encoder, ids, block)
        assert hidden.shape == (sum(map(len, ids)), 32)
        assert not hidden.requires_grad
        embeddings, expected = encoder.embed(ids, block, hidden), padded(encoder, ids)
        torch.testing.assert_close(embeddings, expected, atol=1e-5, rtol=1e-4)
        upper_gradients, all_gradients = gradients(encoder, embeddings), gradients(encoder, expected)
        largest = max(gradient.abs().max() for gradient in all_gradients.values())
        for group in encoder.groups[1:]:
            runs = int(group.key.removeprefix("block-")) >= block
            assert all((f"backbone.{name}" in upper_gradients) == runs for name in group.parameters)
        for name in {f"backbone.{name}" for group in encoder.groups[1 + block :] for name in group.parameters}:
            torch.testing.assert_close(upper_gradients[name], all_gradients[name], atol=1e-5 * largest, rtol=1e-3)


@EVERY_KIND
def test_states_kept_in_one_order_serve_another(exact, kind):
    encoder = exact(kind)
    ids = encoder.tokenize(BATCHES["unsorted"])
    each = [states(encoder, [tokens], 1) for tokens in ids]
    order = [3, 0, 4, 2]
    found = encoder.embed([ids[n] for n in order], 1, torch.cat([each[n] for n in order]))
    torch.testing.assert_close(found, padded(encoder, [ids[n] for n in order]), atol=1e-5, rtol=1e-4)


def test_the_real_encoder_packs_and_gives_what_it_gave(encoder):
    exact = load_encoder(fp32=True)
    ids = exact.tokenize([*BATCHES["unsorted"], "word " * 120])
    assert exact._runner.packs
    with torch.no_grad():
        expected = padded(exact, ids)
        torch.testing.assert_close(exact.embed(ids), expected, atol=1e-5, rtol=0)
        for block in range(1, exact.num_blocks):
            found = exact.embed(ids, block, exact.hidden_states(ids, block))
            torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


@EVERY_KIND
def test_in_half_precision_it_is_right_to_its_rounding(monkeypatch, tiny_folder, kind):
    monkeypatch.setattr("mtst.encoders.encoder.bf16_pays", lambda _device: True)
    half, exact = (load_encoder(str(tiny_folder(kind, blocks=3)), fp32=fp32) for fp32 in (False, True))
    assert (half.precision, exact.precision) == ("bf16", "fp32")
    assert half._runner.packs == PACKS[kind]
    ids = half.tokenize(BATCHES["unsorted"])
    found, expected = half.embed(ids), padded(exact, ids)
    assert found.dtype == torch.float32
    cosines = torch.cosine_similarity(found, expected)
    assert cosines.min() > 0.999
    some, others = gradients(half, found), gradients(exact, expected)
    for name in others:
        if others[name].norm() > 1e-3 * max(gradient.norm() for gradient in others.values()):
            assert torch.cosine_similarity(some[name].flatten(), others[name].flatten(), dim=0) > 0.97
    hidden = half.hidden_states(ids, 2)
    with torch.no_grad():
        torch.testing.assert_close(half.embed(ids, 2, hidden), found, atol=0.02, rtol=0.02)


# --- what is left behind


def traces(encoder):
    """All that a pass changes for its time."""
    _, blocks = find_blocks(encoder.backbone)
    hooks = [(len(block._forward_hooks), len(block._forward_pre_hooks)) for block in blocks]
    config = encoder.backbone[0].auto_model.config
    return config._attn_implementation, list(blocks), hooks, [module.training for module in encoder.modules()]


@EVERY_KIND
def test_a_pass_leaves_no_trace(exact, kind):
    encoder = exact(kind)
    encoder.backbone[0].auto_model.train()
    then = traces(encoder)
    ids = encoder.tokenize(["a b", "c"])
    encoder.embed(ids, 2, states(encoder, ids, 2))
    encoder.embed(ids)
    assert traces(encoder) == then
    assert then[0] != attention.NAME
    assert len(then[1]) == 3


@EVERY_KIND
@pytest.mark.parametrize("block", [0, 1])
def test_an_exception_leaves_no_trace(exact, kind, block):
    encoder = exact(kind)
    then = traces(encoder)
    ids = encoder.tokenize(["a b", "c"])
    hidden = states(encoder, ids, 1)

    def fail(*_):
        raise ZeroDivisionError

    hook = encoder._runner._blocks[2].register_forward_pre_hook(fail)
    with pytest.raises(ZeroDivisionError):
        encoder.embed(ids, block, hidden if block else None)
    hook.remove()
    hook = encoder._runner._blocks[0].register_forward_pre_hook(fail)
    with pytest.raises(ZeroDivisionError):
        encoder.hidden_states(ids, 1)
    hook.remove()
    assert traces(encoder) == then
    torch.testing.assert_close(encoder.embed(ids), padded(encoder, ids), atol=1e-5, rtol=1e-4)


def test_a_copy_works_with_blocks_of_its_own(exact):
    encoder = exact("bert")
    twin = copy.deepcopy(encoder)
    ids = encoder.tokenize(["a b", "c"])
    with torch.no_grad():
        before = encoder.embed(ids)
        for parameter in twin._runner._blocks[1].parameters():
            parameter.mul_(2)
        assert torch.equal(encoder.embed(ids), before)
        assert not torch.allclose(twin.embed(ids), before)
        torch.testing.assert_close(twin.embed(ids), padded(twin, ids), atol=1e-5, rtol=1e-4)


@EVERY_KIND
def test_with_dropout_a_pass_is_random_and_seeded(exact, kind):
    encoder = exact(kind).train()
    ids = encoder.tokenize(BATCHES["unsorted"])
    torch.manual_seed(1)
    first, second = encoder.embed(ids), encoder.embed(ids)
    torch.manual_seed(1)
    assert torch.equal(encoder.embed(ids), first)
    assert not torch.equal(first, second)


def test_states_are_kept_without_dropout_whatever_the_mode(exact):
    encoder = exact("bert")
    ids = encoder.tokenize(BATCHES["sorted"])
    expected = encoder.hidden_states(ids, 2)
    assert torch.equal(encoder.train().hidden_states(ids, 2), expected)
    assert all(module.training for module in encoder.backbone[0].auto_model.modules())


def test_a_backbone_without_blocks_is_one_whole(exact):
    tree = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    stack = BlockRunner(tree, dict)
    assert len(stack) == 0
    assert not stack.packs


def test_blocks_that_depend_on_their_position_are_not_entered(tiny_folder, monkeypatch):
    """A model that treats its blocks by their numbers would treat the third as the first if a pass began there."""
    from transformers.modeling_outputs import BaseModelOutputWithPastAndCrossAttentions
    from transformers.models.bert.modeling_bert import BertEncoder

    def numbered(self, hidden_states, *more, **named):
        for place, layer in enumerate(self.layer):
            hidden_states = first_tensor(layer(hidden_states, *more, **named)) * (1 + place)
        return BaseModelOutputWithPastAndCrossAttentions(last_hidden_state=hidden_states)

    monkeypatch.setattr(BertEncoder, "forward", numbered)
    encoder = load_encoder(str(tiny_folder("bert", blocks=3)), fp32=True)
    assert encoder.num_blocks == 0
    model = MultiTaskSentenceTransformer(encoder, [Task("mood", ("glad", "sad"))])
    data = Dataset(("a", "b c", "d", "e", "f g", "h"), model.tasks, {"mood": (0, 1, 0, 1, 0, 1)}, tuple(range(1, 7)))
    events = list(fit(model, data, TrainConfig("top-k", top_blocks=1), baselines=False))
    assert events[0].cached == "nothing"
    assert {row.key for row in events[-1].proof if row.open_epochs} == {"block-2", "head:mood"}


def test_attention_that_sees_more_than_a_sentence_is_not_packed(tiny_folder, monkeypatch):
    """A model whose blocks do mix tokens besides is tried out and left as it is."""
    from transformers.models.bert.modeling_bert import BertLayer

    forward = BertLayer.forward

    def mixing(self, hidden_states, *more, **named):
        out = forward(self, hidden_states, *more, **named)
        states = first_tensor(out)
        states = states + states.cumsum(dim=1)  # the tokens before, of this sentence or of others
        return states if isinstance(out, torch.Tensor) else (states, *out[1:])

    monkeypatch.setattr(BertLayer, "forward", mixing)
    encoder = load_encoder(str(tiny_folder("bert", blocks=3)), fp32=True)
    assert not encoder._runner.packs
    ids = encoder.tokenize(BATCHES["unsorted"])
    torch.testing.assert_close(encoder.embed(ids), padded(encoder, ids))
    torch.testing.assert_close(encoder.embed(ids, 1, states(encoder, ids, 1)), padded(encoder, ids))
