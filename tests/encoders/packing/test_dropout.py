import copy

import pytest
import torch
from torch import nn

from mtst.encoders.loading import load_encoder
from mtst.encoders.packing.dropout import LEVELS, Dropout, draw_kept, use_cheap_dropout
from mtst.model.multitask import MultiTaskSentenceTransformer

COUNT = 400_000


@pytest.mark.parametrize("p", [0.01, 0.1, 0.5, 0.9])
def test_the_share_that_is_dropped_is_what_was_asked(p):
    kept = draw_kept((COUNT,), p)
    deviation = (p * (1 - p) / COUNT) ** 0.5
    assert abs((1 - kept).double().mean().item() - p) < 5 * deviation + 1 / LEVELS


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 5), (0, 4), (3, 1, 7)])
def test_places_are_drawn_for_any_shape(shape):
    kept = draw_kept(shape, 0.5)
    assert kept.shape == shape
    assert set(kept.flatten().tolist()) <= {0.0, 1.0}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_is_drawn_is_one_or_zero_in_every_precision(dtype):
    kept = draw_kept((COUNT,), 0.1, dtype)
    assert kept.dtype == dtype
    assert set(kept.tolist()) == {0.0, 1.0}


def test_neighbours_are_dropped_independently():
    dropped = draw_kept((COUNT,), 0.1) == 0
    for distance in (1, 2, 3, 4, 8, 64):
        both = (dropped[distance:] & dropped[:-distance]).double().mean().item()
        assert abs(both - 0.01) < 0.001


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_is_kept_is_scaled_and_what_is_dropped_is_zero(dtype):
    found = Dropout(0.25).train()(torch.full((1000,), 3.0, dtype=dtype))
    assert found.dtype == dtype
    assert set(found.tolist()) == {0.0, 4.0}


def test_the_mean_stays_what_it_was():
    assert Dropout(0.3).train()(torch.ones(COUNT)).mean().item() == pytest.approx(1, abs=0.01)


def test_a_gradient_passes_only_where_a_value_was_kept_and_by_the_same_scale():
    values = torch.rand(50, 40, requires_grad=True)
    found = Dropout(0.25).train()(values)
    came = torch.randn(50, 40)
    found.backward(came)
    kept = found.detach() != 0
    assert 0.15 < (~kept).double().mean() < 0.35
    assert torch.equal(values.grad != 0, kept)
    torch.testing.assert_close(values.grad, came * kept / 0.75)


def test_the_values_that_come_in_stay_as_they_are():
    values = torch.rand(100)
    then = values.clone()
    Dropout(0.5).train()(values)
    assert torch.equal(values, then)


def test_a_seed_repeats_the_draw_and_the_next_draw_is_another():
    torch.manual_seed(5)
    first, second = draw_kept((1000,), 0.5), draw_kept((1000,), 0.5)
    torch.manual_seed(5)
    assert torch.equal(draw_kept((1000,), 0.5), first)
    assert not torch.equal(first, second)


def test_a_draw_moves_the_generator_by_one_number_whatever_its_size():
    states = []
    for size in (1, 100_000):
        torch.manual_seed(5)
        draw_kept((size,), 0.1)
        states.append(torch.get_rng_state())
    assert torch.equal(*states)


def test_in_evaluation_mode_nothing_is_dropped_or_copied():
    values = torch.rand(100)
    assert Dropout(0.5).eval()(values) is values


@pytest.mark.parametrize(("p", "factor"), [(0.0, 1.0), (1.0, 0.0)])
def test_none_or_all_is_what_torch_makes_of_it(p, factor):
    values = torch.rand(100)
    assert torch.equal(Dropout(p).train()(values), values * factor)


def test_every_dropout_of_an_encoder_is_replaced_and_nothing_else():
    class Other(nn.Dropout):
        pass

    tree = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.3), nn.ModuleDict({"a": nn.Dropout(0.1).eval(), "b": Other()}))
    then = {name: module for name, module in tree.named_modules() if type(module) is not nn.Dropout}
    use_cheap_dropout(tree)
    now = dict(tree.named_modules())
    assert all(now[name] is module for name, module in then.items())
    assert {name: (type(now[name]), now[name].p, now[name].training) for name in set(now) - set(then)} == {
        "1": (Dropout, 0.3, True),
        "2.a": (Dropout, 0.1, False),
    }


@pytest.mark.parametrize("kind", ["bert", "roberta", "distilbert", "mpnet"])
def test_a_loaded_encoder_has_only_cheap_dropout(tiny_folder, kind):
    encoder = load_encoder(str(tiny_folder(kind)))
    kinds = [type(module) for module in encoder.modules() if isinstance(module, nn.Dropout)]
    assert set(kinds) == {Dropout}


def test_a_saved_model_does_not_know_of_it(tiny_encoder, swapped, tmp_path):
    from sentence_transformers import SentenceTransformer

    texts = ["one", "two words"]
    model = MultiTaskSentenceTransformer(tiny_encoder, swapped.tasks)
    names = set(model.state_dict())
    model.save(tmp_path / "saved")
    published = SentenceTransformer(str(tmp_path / "saved"), device="cpu")
    assert {type(module) for module in published.modules() if isinstance(module, nn.Dropout)} == {nn.Dropout}
    assert {f"encoder.backbone.{name}" for name in published.state_dict()} <= names
    with torch.no_grad():
        expected = torch.from_numpy(published.encode(texts, show_progress_bar=False))
        torch.testing.assert_close(tiny_encoder(texts), expected, atol=0.02, rtol=0.02)


def test_a_pass_in_training_is_random_and_seeded(tiny_encoder):
    encoder = copy.deepcopy(tiny_encoder).train()
    texts = ["one", "two words"]
    torch.manual_seed(1)
    first, second = encoder(texts), encoder(texts)
    torch.manual_seed(1)
    assert torch.equal(encoder(texts), first)
    assert not torch.equal(first, second)
