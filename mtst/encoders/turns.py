"""Turns on the processor: a host of several users says who computes next, slice by slice."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

TakeTurn = Callable[[], AbstractContextManager[object]]
TOKENS_PER_BATCH = 4_096
TOKENS_PER_TURN = 512  # where others wait: about a tenth of a second of a slow core
CHARACTERS_PER_TURN = 50_000  # that are tokenized at once
_take: TakeTurn | None = None


def set_turns(take: TakeTurn | None) -> None:
    """Let each slice of this process's work be done inside the context that `take` returns; None: at once."""
    global _take  # there is one processor
    _take = take


def turn() -> AbstractContextManager[object]:
    """Return the context in which the next slice is computed. Nothing inside it may wait for another turn."""
    return _take() if _take else nullcontext()


def tokens_at_once() -> int:
    """Return the budget of padded tokens for one batch."""
    return TOKENS_PER_TURN if _take else TOKENS_PER_BATCH
