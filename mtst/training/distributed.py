"""Data-parallel work of several processes, on one machine or several.

`accelerate launch -m mtst train …` starts the processes and gives each its rank and device. A `ProcessGroup` shards the
work, sums what every process has computed (losses, gradients, rows), and makes all processes fail together. With one
process its methods do nothing, so callers need no special case.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from importlib import import_module
from typing import TypeVar

import torch
from torch import Tensor, nn

from mtst.errors import MtstError, PeerError

T = TypeVar("T")
TIMEOUT = timedelta(days=1)  # how long to wait for the slowest process; one that dies is noticed at once
ONE_PROCESS_ONLY = "accelerate launch has started one process only; with --multi_gpu it starts several, on CPUs too\n"


class ProcessGroup:
    """`world_size` processes, of which this one is number `rank`.

    Values are summed on `device`; by default, on the device they are on.
    """

    def __init__(self, rank: int = 0, world_size: int = 1, device: torch.device | None = None) -> None:
        self.rank, self.world_size = rank, world_size
        self._device = device

    @property
    def is_main(self) -> bool:
        """Whether this process prints and writes for all of them."""
        return self.rank == 0

    def owns(self, index: int) -> bool:
        """Return whether this process does the piece of work with this index."""
        return index % self.world_size == self.rank

    def shard(self, indices: Sequence[int]) -> Sequence[int]:
        """Return the indices of a batch that this process works on."""
        return indices[self.rank :: self.world_size]

    def pad_shard(self, rows: Tensor, count: int) -> Tensor:
        """Return the rows of this process's shard among `count` rows, the others zero.

        The sum over all processes is the whole batch.
        """
        if self.world_size == 1:
            return rows
        padded = rows.new_zeros(count, *rows.shape[1:])
        padded[self.rank :: self.world_size] = rows
        return padded

    def all_reduce(self, values: Tensor) -> Tensor:
        """Sum the values of all processes, in place; every process gets the same sum, bit by bit."""
        if self.world_size > 1:
            from torch import distributed

            on_device = self._device is None or values.device.type == self._device.type
            total = values if on_device else values.to(self._device)
            distributed.all_reduce(total)
            if not on_device:
                with torch.inference_mode():  # tensors created in this mode can be written to in it only
                    values.copy_(total)
        return values

    def all_reduce_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Sum the gradients of all processes, in place.

        A parameter that has a gradient in no process keeps none, so the optimizer skips it as with one process.
        """
        if self.world_size == 1:
            return
        has_grad = torch.tensor([float(p.grad is not None) for p in parameters], device=parameters[0].device)
        trained = [p for p, count in zip(parameters, self.all_reduce(has_grad).tolist(), strict=True) if count]
        if not trained:
            return
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in trained]
        flat = self.all_reduce(torch.cat([grad.flatten() for grad in grads]))
        for parameter, grad in zip(trained, flat.split([p.numel() for p in trained]), strict=True):
            parameter.grad = grad.view_as(parameter)

    def run_on_main(self, function: Callable[[], T]) -> T:
        """Call a function in the main process only; return its result in every process.

        Raises:
            MtstError: the function failed; the other processes raise `PeerError`.
        """
        if self.world_size == 1:
            return function()
        from accelerate.utils import broadcast_object_list

        outcome: list[T | str | None] = [None, ""]
        if self.is_main:
            try:
                outcome[0] = function()
            except MtstError as error:
                outcome[1] = str(error)
        result, message = broadcast_object_list(outcome)
        self._raise(message)
        return result

    @contextmanager
    def fail_together(self) -> Iterator[None]:
        """Run a block in every process and wait until all have finished it.

        Raises:
            MtstError: the block failed in one of them; all but the main process raise `PeerError`.
        """
        if self.world_size == 1:
            yield
            return
        from accelerate.utils import gather_object

        message = ""
        try:
            yield
        except MtstError as error:
            message = str(error)
        self._raise(next(filter(None, gather_object([message])), ""))

    def _raise(self, message: str) -> None:
        if message:
            raise MtstError(message) if self.is_main else PeerError(message)


SINGLE_PROCESS = ProcessGroup()


@contextmanager
def launched_process_group() -> Iterator[ProcessGroup]:
    """Join the processes started by a launcher; yield `SINGLE_PROCESS` if there is no launcher.

    Enter it before an encoder is loaded: it also gives the process its device. On exit each process leaves the group:
    one that ends while the group's threads still run is aborted now and then.
    """
    if _is_missing_peers():
        sys.stderr.write(ONE_PROCESS_ONLY)
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield SINGLE_PROCESS
        return
    # This module takes the default group as the default value of a parameter. Imported later, as transformers does when
    # it loads a model, it would keep the group and its threads alive after the end.
    import_module("torch.distributed.nn.functional")
    from accelerate import PartialState

    state = PartialState(cpu=not torch.cuda.is_available(), timeout=TIMEOUT)
    try:
        yield ProcessGroup(state.process_index, state.num_processes, state.device)  # NCCL sums on its device only
    finally:
        state.destroy_process_group()


def _is_missing_peers() -> bool:
    """Return whether `accelerate launch` was asked for several processes and has started this one only.

    That is what it does on CPUs without `--multi_gpu`: it sets the port to meet at, and starts no other process.
    """
    return {"ACCELERATE_MIXED_PRECISION", "MASTER_PORT"} <= os.environ.keys() and "WORLD_SIZE" not in os.environ
