"""Attention over sentences laid end to end, without padding, for training on a CPU.

transformers lets a model's attention be replaced by name. Linear layers and norms do not care where a sentence ends, so
only attention has to know: a `Layout` tells it. There neighbours of like lengths are padded to the longest of them, for
a few large products are quicker than many small ones.
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

from mtst.encoders.packing.dropout import draw_kept

NAME = "mtst-packed"
LIKE = 2.0  # how many times as long as the shortest of a bunch its longest sentence may be


@dataclass(frozen=True, eq=False)
class Bunch:
    """Neighbouring sentences of like lengths.

    Attributes:
        first: the place of their first token among all.
        count: how many tokens they have.
        sentences: how many they are, n.
        length: the tokens of the longest, L.
        places: where the tokens lie when all are padded to L, (n * L,); what pads repeats a token.
        tokens: the places among these n * L that are tokens, (count,).
        padding: those that are not.
        closed: -inf where a key is padding, else 0, (n, 1, L); nothing if nothing is padded.
    """

    first: int
    count: int
    sentences: int
    length: int
    places: Tensor
    tokens: Tensor
    padding: Tensor
    closed: Tensor | None


Layout = tuple[Bunch, ...]
_LAYOUT: ContextVar[Layout] = ContextVar("layout")


def layout_of(lengths: Iterable[int]) -> Layout:
    """Return how sentences of these lengths lie end to end; in few bunches if they are sorted."""
    bunches: list[list[int]] = []
    for length in lengths:
        if bunches and max(length, *bunches[-1]) <= LIKE * min(length, *bunches[-1]):
            bunches[-1].append(length)
        else:
            bunches.append([length])
    made, first = [], 0
    for bunch in bunches:
        made.append(_bunch(first, bunch))
        first += made[-1].count
    return tuple(made)


def _bunch(first: int, lengths: Sequence[int]) -> Bunch:
    each, longest = torch.tensor(lengths), max(lengths)
    begins = first + each.cumsum(0) - each
    steps = torch.arange(longest)
    real = steps < each[:, None]
    places = begins[:, None] + steps.minimum(each[:, None] - 1)
    padding = (~real).flatten().nonzero()[:, 0]
    closed = torch.zeros(real.shape).masked_fill(~real, -math.inf)[:, None] if len(padding) else None
    tokens = real.flatten().nonzero()[:, 0]
    return Bunch(first, sum(lengths), len(lengths), longest, places.flatten(), tokens, padding, closed)


@contextmanager
def packed(config: Any, layout: Layout) -> Iterator[None]:
    """Let a transformers model with this config attend within the sentences of a layout."""
    then, token = config._attn_implementation, _LAYOUT.set(layout)
    config._attn_implementation = NAME
    try:
        yield
    finally:
        config._attn_implementation = then
        _LAYOUT.reset(token)


def register() -> None:
    """Make the attention known to transformers, which then builds no mask for it."""
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, _attend)


def _attend(
    _module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    _mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **_: object,
) -> tuple[Tensor, None]:
    """Attend; query, key and value are (1, heads, tokens, d), the result (1, tokens, heads, d).

    What lies behind the tokens of the layout gets zeros.
    """
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    return _PackedAttention.apply(query, key, value, _LAYOUT.get(), dropout, scale), None


class _PackedAttention(torch.autograd.Function):
    """softmax(q k' scale) v with dropout, bunch by bunch: one node of the graph, not dozens.

    In 32 bits also where the layers around it work in bf16: hardly two bunches have the same sizes, and for each new
    size of a product in bf16 a program is made and kept.
    """

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, layout: Layout, dropout: float, scale: float
    ) -> Tensor:
        parts = torch.stack((query[0], key[0], value[0])).float()  # (3, heads, tokens, d)
        parts[0].mul_(scale)
        heads, tokens, d = parts.shape[1:]
        out = query.new_zeros(tokens, heads, d)  # also for what is no token of any sentence
        ctx.scale, ctx.keep, ctx.bunches = scale, 1 - dropout, []
        with torch.autocast(query.device.type, enabled=False):
            for bunch in layout:
                q, k, v = _padded(parts, bunch)
                scores = q @ k.transpose(1, 2)
                if bunch.closed is not None:
                    scores.view(heads, bunch.sentences, bunch.length, bunch.length).add_(bunch.closed)
                shares = softmax(scores, -1)
                kept = draw_kept(shares.shape, dropout) if dropout else None
                used = shares if kept is None else (shares * kept).div_(ctx.keep)
                _tokens(out.transpose(0, 1), bunch).copy_(_cut(used @ v, bunch, heads))
                ctx.bunches.append((bunch, q, k, v, shares, used, kept))
        return out[None]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        out = gradient[0].transpose(0, 1).float().contiguous()
        heads, tokens, d = out.shape
        whole = out.new_zeros(tokens, 3, heads, d)
        for bunch, q, k, v, shares, used, kept in ctx.bunches:
            here = _padded(out, bunch, cleared=True)
            to_parts = here.new_empty(3, *here.shape)
            torch.bmm(used.transpose(1, 2), here, out=to_parts[2])
            to_shares = here @ v.transpose(1, 2)
            if kept is not None:
                to_shares.mul_(kept).div_(ctx.keep)
            to_scores = torch._softmax_backward_data(to_shares, shares, -1, shares.dtype)
            torch.bmm(to_scores, k, out=to_parts[0]).mul_(ctx.scale)
            torch.bmm(to_scores.transpose(1, 2), q, out=to_parts[1])
            _tokens(whole.permute(1, 2, 0, 3), bunch).copy_(_cut(to_parts, bunch, 3, heads))
        return *(part[None] for part in whole.to(gradient.dtype).permute(1, 2, 0, 3)), None, None, None


def _padded(parts: Tensor, bunch: Bunch, *, cleared: bool = False) -> Tensor:
    """Return the sentences of a bunch (…, heads * n, L, d) of tokens (…, heads, tokens, d); zeros pad them if asked."""
    rows = parts.index_select(-2, bunch.places)
    if cleared and len(bunch.padding):
        rows.index_fill_(-2, bunch.padding, 0)
    return rows.unflatten(-2, (bunch.sentences, bunch.length)).flatten(-4, -3)


def _cut(rows: Tensor, bunch: Bunch, *front: int) -> Tensor:
    """Return the tokens (*front, count, d) of padded sentences."""
    flat = rows.reshape(*front, bunch.sentences * bunch.length, rows.shape[-1])
    return flat.index_select(-2, bunch.tokens) if len(bunch.padding) else flat


def _tokens(parts: Tensor, bunch: Bunch) -> Tensor:
    """Return the place of a bunch among all tokens (…, tokens, d)."""
    return parts.narrow(-2, bunch.first, bunch.count)
