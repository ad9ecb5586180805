"""Attention over sentences laid end to end, without padding, for training on a CPU.

Transformers lets the attention of a model be replaced by name. Linear layers and norms do not depend on where a
sentence ends, so only attention needs to know: a `Layout` tells it. Neighbouring sentences of similar lengths are
padded to the longest of them inside attention, because a few large products are quicker than many small ones.

Without it, training takes 2.1 times as much CPU time on lines of dialogue and 1.6 times on questions of similar lengths
(`python -m tests.bench.packing`, see tests/bench/README.md). This is why it stays, although it sets a private attribute
of Transformers' configurations (`_attn_implementation`) and calls a private function of PyTorch
(`_softmax_backward_data`).
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import softmax

NAME = "mtst-packed"
MAX_RATIO = 2.0  # of the longest to the shortest sentence of a bucket


@dataclass(frozen=True, eq=False)
class Bucket:
    """Neighbouring sentences of similar lengths.

    Attributes:
        first: the index of their first token among all tokens of the batch.
        count: the number of their tokens.
        sentences: the number of sentences, n.
        length: the tokens of the longest sentence, L.
        sources: for each position when all are padded to L, the index of its token (n * L,); padding repeats a token.
        tokens: the positions among these n * L that are tokens, (count,).
        padding: the positions that are not.
        mask: -inf where a key is padding, else 0, (n, 1, L); None if nothing is padded.
    """

    first: int
    count: int
    sentences: int
    length: int
    sources: Tensor
    tokens: Tensor
    padding: Tensor
    mask: Tensor | None


Layout = tuple[Bucket, ...]
_LAYOUT: ContextVar[Layout] = ContextVar("layout")


def layout_of(lengths: Iterable[int]) -> Layout:
    """Return the layout of sentences of these lengths; sorted lengths give few buckets."""
    grouped: list[list[int]] = []
    for length in lengths:
        if grouped and max(length, *grouped[-1]) <= MAX_RATIO * min(length, *grouped[-1]):
            grouped[-1].append(length)
        else:
            grouped.append([length])
    buckets: list[Bucket] = []
    first = 0
    for bucket_lengths in grouped:
        buckets.append(_bucket(first, bucket_lengths))
        first += buckets[-1].count
    return tuple(buckets)


def _bucket(first: int, lengths: Sequence[int]) -> Bucket:
    sizes, longest = torch.tensor(lengths), max(lengths)
    offsets = torch.arange(longest).expand(len(lengths), longest)
    is_token = offsets < sizes[:, None]
    starts = first + sizes.cumsum(0) - sizes
    sources = starts[:, None] + offsets.minimum(sizes[:, None] - 1)
    padding = (~is_token).flatten().nonzero()[:, 0]
    mask = torch.zeros(is_token.shape).masked_fill(~is_token, -math.inf)[:, None] if len(padding) else None
    tokens = is_token.flatten().nonzero()[:, 0]
    return Bucket(first, sum(lengths), len(lengths), longest, sources.flatten(), tokens, padding, mask)


@contextmanager
def packed(config: Any, layout: Layout) -> Iterator[None]:
    """Make a Transformers model with this config attend within the sentences of a layout."""
    implementation, token = config._attn_implementation, _LAYOUT.set(layout)
    config._attn_implementation = NAME
    try:
        yield
    finally:
        config._attn_implementation = implementation
        _LAYOUT.reset(token)


def register() -> None:
    """Register this attention with Transformers, which then builds no mask for it."""
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, _attend)


def _attend(
    _module: nn.Module | None,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    _mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **_: object,
) -> tuple[Tensor, None]:
    """Attend: query, key and value are (1, heads, tokens, d), the result is (1, tokens, heads, d).

    Positions behind the tokens of the layout get zeros. The signature is that of Transformers' attention functions.
    """
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    attended: Tensor = _PackedAttention.apply(query, key, value, _LAYOUT.get(), dropout, scale)
    return attended, None


class _PackedAttention(torch.autograd.Function):
    """softmax(q k' scale) v with dropout, bucket by bucket, as one node of the graph instead of dozens.

    In 32 bits even where the layers around it work in bf16: hardly two buckets have the same sizes, and for each new
    size of a bf16 product oneDNN compiles and keeps a kernel.
    """

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, layout: Layout, dropout: float, scale: float
    ) -> Tensor:
        inputs = torch.stack((query[0], key[0], value[0])).float()  # (3, heads, tokens, d)
        inputs[0].mul_(scale)
        heads, tokens, d = inputs.shape[1:]
        out = query.new_zeros(tokens, heads, d)
        ctx.scale, ctx.keep, ctx.saved = scale, 1 - dropout, []
        with torch.autocast(query.device.type, enabled=False):
            for bucket in layout:
                q, k, v = _pad(inputs, bucket)
                scores = q @ k.transpose(1, 2)
                if bucket.mask is not None:
                    scores.view(heads, bucket.sentences, bucket.length, bucket.length).add_(bucket.mask)
                weights = softmax(scores, -1)
                kept = torch.empty_like(weights).bernoulli_(ctx.keep) if dropout else None
                dropped = weights if kept is None else (weights * kept).div_(ctx.keep)
                _rows(out.transpose(0, 1), bucket).copy_(_unpad(dropped @ v, bucket, heads))
                ctx.saved.append((bucket, q, k, v, weights, dropped, kept))
        return out[None]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        out = gradient[0].transpose(0, 1).float().contiguous()
        heads, tokens, d = out.shape
        total = out.new_zeros(tokens, 3, heads, d)
        for bucket, q, k, v, weights, dropped, kept in ctx.saved:
            grad_out = _pad(out, bucket, zero_padding=True)
            grad_inputs = grad_out.new_empty(3, *grad_out.shape)
            torch.bmm(dropped.transpose(1, 2), grad_out, out=grad_inputs[2])
            grad_weights = grad_out @ v.transpose(1, 2)
            if kept is not None:
                grad_weights.mul_(kept).div_(ctx.keep)
            grad_scores = torch._softmax_backward_data(grad_weights, weights, -1, weights.dtype)
            torch.bmm(grad_scores, k, out=grad_inputs[0]).mul_(ctx.scale)
            torch.bmm(grad_scores.transpose(1, 2), q, out=grad_inputs[1])
            _rows(total.permute(1, 2, 0, 3), bucket).copy_(_unpad(grad_inputs, bucket, 3, heads))
        query, key, value = total.to(gradient.dtype).permute(1, 2, 0, 3)
        return query[None], key[None], value[None], None, None, None


def _pad(packed_rows: Tensor, bucket: Bucket, *, zero_padding: bool = False) -> Tensor:
    """Return the padded sentences (…, heads * n, L, d) of a bucket, from tokens (…, heads, tokens, d).

    Padding repeats a token, which the mask hides, unless it has to be zero.
    """
    rows = packed_rows.index_select(-2, bucket.sources)
    if zero_padding and len(bucket.padding):
        rows.index_fill_(-2, bucket.padding, 0)
    return rows.unflatten(-2, (bucket.sentences, bucket.length)).flatten(-4, -3)


def _unpad(padded: Tensor, bucket: Bucket, *front: int) -> Tensor:
    """Return the tokens (*front, count, d) of padded sentences."""
    flat = padded.reshape(*front, bucket.sentences * bucket.length, padded.shape[-1])
    return flat.index_select(-2, bucket.tokens) if len(bucket.padding) else flat


def _rows(packed_rows: Tensor, bucket: Bucket) -> Tensor:
    """Return the view of a bucket's tokens in all tokens (…, tokens, d)."""
    return packed_rows.narrow(-2, bucket.first, bucket.count)
