"""Attention over sentences laid end to end, without padding, for training on a CPU.

transformers lets a model's attention be replaced by name. Linear layers and norms do not care where a sentence ends, so
only attention has to know: `Runs` tells it, as runs of sentences of one length.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import groupby
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import softmax

from mtst.dropout import draw_kept

NAME = "mtst-packed"
Runs = tuple[tuple[int, int], ...]  # (sentences, tokens of each), in the order they are laid
_RUNS: ContextVar[Runs] = ContextVar("runs")


def runs_of(lengths: Iterable[int]) -> Runs:
    """Return sentences of these lengths as runs; few if they are sorted."""
    return tuple((len(list(same)), length) for length, same in groupby(lengths))


@contextmanager
def packed(config: Any, runs: Runs) -> Iterator[None]:
    """Let a transformers model with this config attend within these runs."""
    then, token = config._attn_implementation, _RUNS.set(runs)
    config._attn_implementation = NAME
    try:
        yield
    finally:
        config._attn_implementation = then
        _RUNS.reset(token)


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
    """Attend; query, key and value are (1, heads, tokens, d), the result (1, tokens, heads, d)."""
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    return _PackedAttention.apply(query, key, value, _RUNS.get(), dropout, scale), None


class _PackedAttention(torch.autograd.Function):
    """softmax(q k' scale) v with dropout, run by run: one node of the graph, where slices would make a dozen a run."""

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, runs: Runs, dropout: float, scale: float
    ) -> Tensor:
        query, key, value = (part[0].transpose(0, 1) for part in (query, key, value))  # (tokens, heads, d)
        out = torch.empty_like(query, memory_format=torch.contiguous_format)
        ctx.runs, ctx.scale, ctx.keep = [], scale, 1 - dropout
        with torch.autocast(query.device.type, enabled=False):
            for first, count, length in _places(runs):
                q, k, v = (_rows(part, first, count, length) for part in (query, key, value))
                shares = softmax(q.mul_(scale) @ k.transpose(1, 2), -1, dtype=torch.float32).to(v.dtype)
                kept = draw_kept(shares.shape, dropout) if dropout else None
                used = shares if kept is None else (shares * kept).div_(ctx.keep)
                _put(out, used @ v, first, count, length)
                ctx.runs.append((first, count, length, q, k, v, shares, used, kept))
        return out[None]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        to_query, to_key, to_value = (torch.empty_like(gradient[0]) for _ in range(3))
        for first, count, length, q, k, v, shares, used, kept in ctx.runs:
            out = _rows(gradient[0].to(v.dtype), first, count, length)
            _put(to_value, used.transpose(1, 2) @ out, first, count, length)
            to_shares = out @ v.transpose(1, 2)
            if kept is not None:
                to_shares.mul_(kept).div_(ctx.keep)
            to_scores = torch._softmax_backward_data(to_shares, shares, -1, shares.dtype)
            _put(to_query, (to_scores @ k).mul_(ctx.scale), first, count, length)
            _put(to_key, to_scores.transpose(1, 2) @ q, first, count, length)
        return *(part.transpose(0, 1)[None] for part in (to_query, to_key, to_value)), None, None, None


def _places(runs: Runs) -> Iterator[tuple[int, int, int]]:
    first = 0
    for count, length in runs:
        yield first, count, length
        first += count * length


def _rows(tokens: Tensor, first: int, count: int, length: int) -> Tensor:
    """Return a copy (sentences x heads, length, d) of a run of tokens (tokens, heads, d)."""
    run = tokens[first : first + count * length].unflatten(0, (count, length)).transpose(1, 2)
    return run.clone(memory_format=torch.contiguous_format).flatten(0, 1)


def _put(tokens: Tensor, run: Tensor, first: int, count: int, length: int) -> None:
    """Write a run (sentences x heads, length, d) to its tokens (tokens, heads, d)."""
    heads = tokens.shape[1]
    tokens[first : first + count * length].unflatten(0, (count, length)).copy_(
        run.unflatten(0, (count, heads)).transpose(1, 2)
    )
