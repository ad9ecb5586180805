"""Memory goes back to the system, of a process of its own."""

import subprocess
import sys

import pytest

MEASURE = """
import psutil
from mtst.ui.server.process.memory import release_memory, share_heaps
share_heaps()
kept = [bytearray(1_000) for _ in range(150_000)]
del kept[:-1]  # the last one keeps the heap from becoming shorter
before = psutil.Process().memory_info().rss
release_memory()
print(before - psutil.Process().memory_info().rss)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="another C library")
def test_what_is_free_below_something_that_is_not_goes_back_to_the_system() -> None:
    found = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, check=True, text=True)
    assert int(found.stdout) > 100_000_000
