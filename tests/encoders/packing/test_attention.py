import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from mtst.encoders.packing import attention
from mtst.encoders.packing.attention import layout_of, packed

HEADS, WIDTH = 2, 8


class Config:
    _attn_implementation = "sdpa"


def inputs_of(tokens, dtype=torch.float32):
    """Query, key and value (1, heads, tokens, d), on the graph."""
    return [torch.randn(1, HEADS, tokens, WIDTH).to(dtype).requires_grad_() for _ in range(3)]


def attend(inputs, lengths, dropout=0.0, scaling=None):
    with packed(Config(), layout_of(lengths)):
        out, weights = attention._attend(None, *inputs, None, dropout=dropout, scaling=scaling)
    assert weights is None
    return out


def sentence_by_sentence(inputs, lengths, scaling=None):
    """What torch's attention gives if every sentence is passed alone, (1, tokens, heads, d)."""
    cut = [part.split(lengths, dim=2) for part in inputs]
    each = [scaled_dot_product_attention(*some, scale=scaling) for some in zip(*cut, strict=True)]
    return torch.cat(each, dim=2).transpose(1, 2)


LENGTHS = pytest.mark.parametrize(
    "lengths",
    [[5], [1], [4, 4, 4], [2, 3, 3, 7], [7, 1, 3, 1], [6, 6, 2, 2, 2]],
    ids=lambda some: "-".join(map(str, some)),
)


@pytest.mark.parametrize(
    ("lengths", "buckets"),
    [
        ([], []),
        ([3], [(0, 3, 1, 3)]),
        ([2, 2, 5], [(0, 4, 2, 2), (4, 5, 1, 5)]),
        ([3, 4, 6, 7], [(0, 13, 3, 6), (13, 7, 1, 7)]),
        ([5, 2, 5], [(0, 5, 1, 5), (5, 2, 1, 2), (7, 5, 1, 5)]),
    ],
)
def test_no_sentence_of_a_bucket_is_more_than_twice_as_long_as_another(lengths, buckets):
    layout = layout_of(iter(lengths))
    assert [(part.first, part.count, part.sentences, part.length) for part in layout] == buckets


def test_the_padding_of_a_bucket_is_masked():
    (bucket,) = layout_of([2, 3])
    assert bucket.sources.tolist() == [0, 1, 1, 2, 3, 4]
    assert (bucket.tokens.tolist(), bucket.padding.tolist()) == ([0, 1, 3, 4, 5], [2])
    assert bucket.mask.tolist() == [[[0.0, 0.0, -float("inf")]], [[0.0, 0.0, 0.0]]]


@LENGTHS
@pytest.mark.parametrize("scaling", [None, 0.7])
def test_attention_and_its_gradients_are_those_of_each_sentence_alone(lengths, scaling):
    inputs = inputs_of(sum(lengths))
    gradient = torch.randn(1, sum(lengths), HEADS, WIDTH)
    output = attend(inputs, lengths, scaling=scaling)
    expected = sentence_by_sentence(inputs, lengths, scaling)
    torch.testing.assert_close(output, expected)
    torch.testing.assert_close(
        torch.autograd.grad(output, inputs, gradient), torch.autograd.grad(expected, inputs, gradient)
    )


def test_gradients_are_the_slopes_of_the_function():
    inputs = [part.detach().double().requires_grad_() for part in inputs_of(6)]

    def whole(*some):
        return attend(some, [1, 2, 3])

    # softmax is computed in 32 bits
    assert torch.autograd.gradcheck(whole, inputs, eps=1e-2, atol=1e-3, rtol=1e-2)


@LENGTHS
def test_half_precision_is_exact_to_its_rounding(lengths):
    inputs = inputs_of(sum(lengths), torch.bfloat16)
    wide = [part.detach().float().requires_grad_() for part in inputs]
    output, expected = attend(inputs, lengths), attend(wide, lengths)
    assert output.dtype == torch.bfloat16
    torch.testing.assert_close(output.float(), expected, atol=0.03, rtol=0.03)
    gradient = torch.randn(output.shape)
    narrow = torch.autograd.grad(output, inputs, gradient.bfloat16())
    for some, others in zip(narrow, torch.autograd.grad(expected, wide, gradient), strict=True):
        torch.testing.assert_close(some.float(), others, atol=0.06, rtol=0.06)


def test_inputs_are_not_modified():
    inputs = inputs_of(6)
    then = [part.detach().clone() for part in inputs]
    attend(inputs, [2, 4]).sum().backward()
    assert all(torch.equal(part, old) for part, old in zip(inputs, then, strict=True))


def test_dropout_is_the_same_in_the_backward_pass():
    inputs = inputs_of(5)
    gradient = torch.randn(1, 5, HEADS, WIDTH)
    torch.manual_seed(3)
    output = attend(inputs, [5], dropout=0.4)
    torch.manual_seed(3)
    kept = torch.empty(HEADS, 5, 5).bernoulli_(0.6)
    query, key, value = (part[0] for part in inputs)
    weights = (query * WIDTH**-0.5 @ key.transpose(1, 2)).softmax(-1) * kept / 0.6
    expected = (weights @ value).transpose(0, 1)[None]
    assert 0 < kept.sum() < kept.numel()
    torch.testing.assert_close(output, expected)
    torch.testing.assert_close(
        torch.autograd.grad(output, inputs, gradient), torch.autograd.grad(expected, inputs, gradient)
    )


def test_dropout_is_random_seeded_and_right_on_average():
    inputs = inputs_of(8)
    exact = attend(inputs, [3, 5])
    torch.manual_seed(1)
    first, second = attend(inputs, [3, 5], 0.1), attend(inputs, [3, 5], 0.1)
    torch.manual_seed(1)
    assert torch.equal(attend(inputs, [3, 5], 0.1), first)
    assert not torch.equal(first, second)
    with torch.no_grad():
        mean = torch.stack([attend(inputs, [3, 5], 0.1) for _ in range(2000)]).mean(dim=0)
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
