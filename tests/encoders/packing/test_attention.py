import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from mtst.encoders.packing import attention
from mtst.encoders.packing.attention import layout_of, packed
from mtst.encoders.packing.dropout import draw_kept

HEADS, WIDTH = 2, 8


class Config:
    _attn_implementation = "sdpa"


def parts(tokens, dtype=torch.float32):
    """Query, key and value (1, heads, tokens, d), on the graph."""
    return [torch.randn(1, HEADS, tokens, WIDTH).to(dtype).requires_grad_() for _ in range(3)]


def attend(made, lengths, dropout=0.0, scaling=None):
    with packed(Config(), layout_of(lengths)):
        out, weights = attention._attend(None, *made, None, dropout=dropout, scaling=scaling)
    assert weights is None
    return out


def sentence_by_sentence(made, lengths, scaling=None):
    """What torch's attention gives if every sentence is passed alone, (1, tokens, heads, d)."""
    cut = [part.split(lengths, dim=2) for part in made]
    each = [scaled_dot_product_attention(*some, scale=scaling) for some in zip(*cut, strict=True)]
    return torch.cat(each, dim=2).transpose(1, 2)


LENGTHS = pytest.mark.parametrize(
    "lengths",
    [[5], [1], [4, 4, 4], [2, 3, 3, 7], [7, 1, 3, 1], [6, 6, 2, 2, 2]],
    ids=lambda some: "-".join(map(str, some)),
)


@pytest.mark.parametrize(
    ("lengths", "bunches"),
    [
        ([], []),
        ([3], [(0, 3, 1, 3)]),
        ([2, 2, 5], [(0, 4, 2, 2), (4, 5, 1, 5)]),
        ([3, 4, 6, 7], [(0, 13, 3, 6), (13, 7, 1, 7)]),
        ([5, 2, 5], [(0, 5, 1, 5), (5, 2, 1, 2), (7, 5, 1, 5)]),
    ],
)
def test_a_bunch_is_of_neighbours_of_which_none_is_twice_as_long_as_another(lengths, bunches):
    found = layout_of(iter(lengths))
    assert [(bunch.first, bunch.count, bunch.sentences, bunch.length) for bunch in found] == bunches


def test_what_pads_a_bunch_is_closed_and_known():
    (bunch,) = layout_of([2, 3])
    assert bunch.places.tolist() == [0, 1, 1, 2, 3, 4]
    assert (bunch.tokens.tolist(), bunch.padding.tolist()) == ([0, 1, 3, 4, 5], [2])
    assert bunch.closed.tolist() == [[[0.0, 0.0, -float("inf")]], [[0.0, 0.0, 0.0]]]


@LENGTHS
@pytest.mark.parametrize("scaling", [None, 0.7])
def test_attention_and_its_gradients_are_those_of_each_sentence_alone(lengths, scaling):
    made = parts(sum(lengths))
    came = torch.randn(1, sum(lengths), HEADS, WIDTH)
    found = attend(made, lengths, scaling=scaling)
    expected = sentence_by_sentence(made, lengths, scaling)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(torch.autograd.grad(found, made, came), torch.autograd.grad(expected, made, came))


def test_gradients_are_the_slopes_of_the_function():
    made = [part.detach().double().requires_grad_() for part in parts(6)]

    def whole(*some):
        return attend(some, [1, 2, 3])

    # softmax is computed in 32 bits
    assert torch.autograd.gradcheck(whole, made, eps=1e-2, atol=1e-3, rtol=1e-2)


@LENGTHS
def test_half_precision_is_exact_to_its_rounding(lengths):
    made = parts(sum(lengths), torch.bfloat16)
    wide = [part.detach().float().requires_grad_() for part in made]
    found, expected = attend(made, lengths), attend(wide, lengths)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), expected, atol=0.03, rtol=0.03)
    came = torch.randn(found.shape)
    narrow = torch.autograd.grad(found, made, came.bfloat16())
    for some, others in zip(narrow, torch.autograd.grad(expected, wide, came), strict=True):
        torch.testing.assert_close(some.float(), others, atol=0.06, rtol=0.06)


def test_what_is_passed_in_stays_as_it_is():
    made = parts(6)
    then = [part.detach().clone() for part in made]
    attend(made, [2, 4]).sum().backward()
    assert all(torch.equal(part, old) for part, old in zip(made, then, strict=True))


def test_dropped_shares_are_dropped_on_the_way_back_too():
    made = parts(5)
    came = torch.randn(1, 5, HEADS, WIDTH)
    torch.manual_seed(3)
    found = attend(made, [5], dropout=0.4)
    torch.manual_seed(3)
    kept = draw_kept((HEADS, 5, 5), 0.4)
    query, key, value = (part[0] for part in made)
    shares = (query * WIDTH**-0.5 @ key.transpose(1, 2)).softmax(-1) * kept / 0.6
    expected = (shares @ value).transpose(0, 1)[None]
    assert 0 < kept.sum() < kept.numel()
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(torch.autograd.grad(found, made, came), torch.autograd.grad(expected, made, came))


def test_dropout_is_random_seeded_and_right_on_average():
    made = parts(8)
    exact = attend(made, [3, 5])
    torch.manual_seed(1)
    first, second = attend(made, [3, 5], 0.1), attend(made, [3, 5], 0.1)
    torch.manual_seed(1)
    assert torch.equal(attend(made, [3, 5], 0.1), first)
    assert not torch.equal(first, second)
    with torch.no_grad():
        mean = torch.stack([attend(made, [3, 5], 0.1) for _ in range(2000)]).mean(dim=0)
    torch.testing.assert_close(mean, exact.detach(), atol=0.05, rtol=0)


def test_the_config_gets_its_attention_back_even_after_an_exception():
    config = Config()

    def fail():
        assert config._attn_implementation == attention.NAME
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), packed(config, layout_of([2])), packed(config, layout_of([3])):
        fail()
    assert config._attn_implementation == "sdpa"
    with pytest.raises(LookupError):
        attention._LAYOUT.get()
