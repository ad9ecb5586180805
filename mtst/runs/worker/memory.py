"""The memory that a run may take."""

import sys

import torch

if sys.platform != "win32":
    import resource


def limit_memory(gigabytes: float) -> None:
    """Limit the memory of this process, and its memory on a GPU.

    A GPU's driver reserves addresses for all memory there is, far more than any run takes. So with a GPU only private
    memory that is written to is limited, not the address space.
    """
    limit = int(gigabytes * 1e9)
    gpu = torch.cuda.is_available()
    if gpu:
        total = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, limit / total))
    if sys.platform != "win32":
        kind = resource.RLIMIT_DATA if gpu else resource.RLIMIT_AS
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def is_out_of_memory(error: Exception) -> bool:
    """Return whether an error says that memory ran out; PyTorch has no class of its own for that on a CPU."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate memory" in str(error)
