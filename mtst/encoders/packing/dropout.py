"""Dropout whose random numbers are cheap: on a CPU, drawing them takes longer than the layers they fall on.

torch draws one number of 32 bits for each place, on one core. Sixteen bits for each place, drawn by the block from
SFC64 (Doty-Humphrey 2010, in NumPy), are a tenth of the work: a share p of 0.1 becomes 6553/65536.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

LEVELS = 1 << 16


def draw_kept(shape: Sequence[int], p: float, dtype: torch.dtype = torch.float32) -> Tensor:
    """Draw which places of a tensor are kept: 1, or 0 with probability `p`.

    The draw depends on the state of torch's generator alone, and moves it on by one number.
    """
    count = math.prod(shape)
    seed = int(torch.randint(1 << 62, ()))
    bits = np.random.SFC64(seed).random_raw((count + 3) // 4).view(np.int16)[:count]
    lowest_kept = int(p * LEVELS) - LEVELS // 2
    # Whole numbers cut off at two neighbours are these two: quicker than a comparison, and no booleans to be converted.
    kept = torch.from_numpy(bits).to(torch.float32).clamp_(lowest_kept - 1, lowest_kept).sub_(lowest_kept - 1)
    return kept.view(tuple(shape)).to(dtype)


class _Drop(torch.autograd.Function):
    """Zeroes places and scales the others, on the way back too."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, p: float) -> Tensor:
        kept = draw_kept(values.shape, p, values.dtype)
        ctx.save_for_backward(kept)
        ctx.scale = 1 / (1 - p)
        return (values * kept).mul_(ctx.scale)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (kept,) = ctx.saved_tensors
        return (gradient * kept).mul_(ctx.scale), None


class Dropout(nn.Dropout):
    """`nn.Dropout` with cheap random numbers on a CPU."""

    def forward(self, values: Tensor) -> Tensor:
        if not self.training or not 0 < self.p < 1 or values.device.type != "cpu":
            return super().forward(values)
        return _Drop.apply(values, self.p)


def use_cheap_dropout(tree: nn.Module) -> None:
    """Put `Dropout` in the place of every `nn.Dropout` of a tree."""
    for module in list(tree.modules()):
        for name, child in module.named_children():
            if type(child) is nn.Dropout:
                setattr(module, name, Dropout(child.p).train(child.training))
