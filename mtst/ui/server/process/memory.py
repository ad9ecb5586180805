"""Memory that is free inside this process goes back to the system, where its C library can do that (glibc)."""

import ctypes
import gc
import sys
from typing import Any

M_ARENA_MAX = -8  # of mallopt
ARENAS = 2  # heaps; else each of dozens of threads has one, with what it needed at most
_LIBC: Any = ctypes.CDLL(None) if sys.platform == "linux" else None


def share_heaps() -> None:
    """Let all threads that start from now on share a few heaps."""
    if hasattr(_LIBC, "mallopt"):
        _LIBC.mallopt(M_ARENA_MAX, ARENAS)


def release_memory() -> None:
    """Collect cycles, and give whole pages that are free back to the system."""
    gc.collect()
    if hasattr(_LIBC, "malloc_trim"):
        _LIBC.malloc_trim(0)
