"""The processes that share the work of one run: data-parallel training on one machine or several.

`accelerate launch -m mtst train …` starts the processes, tells them of each other and gives each its device. Here they
only add up: sums of losses, gradients, and rows that each has computed a part of. Alone, all of it is nothing.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from importlib import import_module

import torch
from torch import Tensor, nn

TIMEOUT = timedelta(days=1)  # for the slowest process; one that dies is noticed at once


class ProcessGroup:
    """`size` processes, of which this one is number `rank`."""

    def __init__(self, rank: int = 0, world_size: int = 1, device: torch.device | None = None) -> None:
        self.rank, self.world_size = rank, world_size
        self._device = device  # where values are added up; where they are if it is None

    @property
    def is_main(self) -> bool:
        """Whether this process is the one that speaks and writes for all."""
        return self.rank == 0

    def owns(self, index: int) -> bool:
        """Tell whether a part of the work is this process's."""
        return index % self.world_size == self.rank

    def shard(self, indices: Sequence[int]) -> Sequence[int]:
        """Return this process's share of a batch."""
        return indices[self.rank :: self.world_size]

    def pad_shard(self, rows: Tensor, count: int) -> Tensor:
        """Return this process's share of `count` rows at their places among zeros; the sum of all is the whole."""
        if self.world_size == 1:
            return rows
        among = rows.new_zeros(count, *rows.shape[1:])
        among[self.rank :: self.world_size] = rows
        return among

    def all_reduce(self, values: Tensor) -> Tensor:
        """Add up values of all processes, in place; every process gets the same sum, bit by bit."""
        if self.world_size > 1:
            from torch import distributed

            at_home = self._device is None or values.device.type == self._device.type
            moved = values if at_home else values.to(self._device)
            distributed.all_reduce(moved)
            if not at_home:
                with torch.inference_mode():  # values may have been made in it, and can be written to in it only
                    values.copy_(moved)
        return values

    def all_reduce_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Add up the gradients that all processes have of the same parameters, in place.

        What has none in any process gets none, so that the optimizer passes it over as one process alone does.
        """
        if self.world_size > 1:
            flags = [float(one.grad is not None) for one in parameters]
            there = self.all_reduce(torch.tensor(flags, device=parameters[0].device))
            learning = [one for one, found in zip(parameters, there.tolist(), strict=True) if found]
            parts = [torch.zeros_like(one) if one.grad is None else one.grad for one in learning]
            if not parts:
                return
            flat = self.all_reduce(torch.cat([part.flatten() for part in parts]))
            for one, part in zip(learning, flat.split([one.numel() for one in learning]), strict=True):
                one.grad = part.view_as(one)


SINGLE_PROCESS = ProcessGroup()


def lacks_others() -> bool:
    """Tell whether `accelerate launch` was asked for several processes and has started this one only.

    On CPUs that is what it does without `--multi_gpu`: it names a meeting place and sends nobody else there.
    """
    names = {"ACCELERATE_MIXED_PRECISION", "MASTER_PORT"}
    return names <= os.environ.keys() and "WORLD_SIZE" not in os.environ


@contextmanager
def launched_process_group() -> Iterator[ProcessGroup]:
    """Join the process group that a launcher has started this process in, or be one of this process alone.

    Enter it before an encoder is loaded: it also gives the process its device. In the end each process hangs up: one
    that ends while the group's threads are still there is now and then aborted.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield SINGLE_PROCESS
        return
    # This module takes the group of all processes as a default value: imported later, as transformers does when a model
    # is loaded, it would hold the group, and its threads, beyond the end.
    import_module("torch.distributed.nn.functional")
    from accelerate import PartialState

    state = PartialState(cpu=not torch.cuda.is_available(), timeout=TIMEOUT)
    try:
        yield ProcessGroup(
            state.process_index, state.num_processes, state.device
        )  # NCCL adds up on its own device only
    finally:
        state.destroy_process_group()
