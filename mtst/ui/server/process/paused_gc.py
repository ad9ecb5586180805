"""Import and load without garbage collections, which would scan the new objects again and again."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused_gc() -> Iterator[None]:
    """Pause the collector; then exempt all objects there are from later collections, and enable it in any case.

    Without it the start takes up to a quarter longer.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
