"""How soon the app answers, beside an empty Gradio app on the same machine, and what it takes while nobody asks.

python -m tests.bench.start [--times 5] [--idle 60]
    starts both in turn, each time in fresh processes, and prints the seconds until the first page and the first
    `/config`, the app's until its first prediction through gradio_client, and the memory of all of its processes after
    a minute without a visitor: PSS (what several processes share counts once) and RSS; at the end the requests and the
    bytes on the wire of the first view of each, in a browser that has seen neither

It speaks to this machine only, and needs Linux for the memory.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import httpx2
import psutil
from gradio_client import Client
from playwright.sync_api import sync_playwright

from tests.browser.conftest import EXECUTABLE, FLAGS

EMPTY = "import gradio as gr\nwith gr.Blocks(analytics_enabled=False) as demo:\n    pass\ndemo.launch()"
PATIENCE = 120
QUIET_MS = 10_000  # after which the first view has everything


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.start", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--idle", type=float, default=60.0, help="seconds without a visitor before memory is measured")
    arguments = parser.parse_args()
    print(f"load of the machine before: {', '.join(f'{load:.1f}' for load in os.getloadavg())}")
    seconds: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        seconds.setdefault(name, []).append(value)
        print(f"{name}: {value:.2f} s", flush=True)

    for number in range(arguments.times):
        with started([sys.executable, "-c", EMPTY]) as (url, _, began):
            note("empty, page", answered(url, began))
            note("empty, config", answered(f"{url}config", began))
            if number == arguments.times - 1:
                tell_wire(url, "empty")
        with started([sys.executable, "app.py"]) as (url, app, began):
            note("mtst, page", page := answered(url, began))
            note("mtst, config", answered(f"{url}config", began))
            client = Client(url, verbose=False, analytics_enabled=False)
            client.predict(["What a wonderful goal!"], api_name="/predict")
            note("mtst, first prediction after the first page", time.monotonic() - began - page)
            client.close()
            if number == arguments.times - 1:
                tell_wire(url, "mtst")
                time.sleep(arguments.idle)
                tell_memory(app)
    for name, values in seconds.items():
        print(f"{name}: median {median(values):.2f} s ({min(values):.2f} to {max(values):.2f})")
    for what in ("page", "config"):
        ratio = median(seconds[f"mtst, {what}"]) / median(seconds[f"empty, {what}"])
        print(f"{what}: {ratio:.2f} times as long as an empty app")


@contextmanager
def started(command: list[str]) -> Iterator[tuple[str, subprocess.Popen, float]]:
    """Start an app on a free port; give its address, its process, and when that was."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as scratch:
        environment = os.environ | {
            "GRADIO_SERVER_NAME": "127.0.0.1",
            "GRADIO_SERVER_PORT": str(port),
            "GRADIO_ANALYTICS_ENABLED": "False",
            "MTST_RUNS_DIR": str(Path(scratch) / "runs"),
        }
        with (Path(scratch) / "log").open("wb") as log:
            began = time.monotonic()
            app = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            yield f"http://127.0.0.1:{port}/", app, began
        finally:
            app.terminate()
            app.wait()


def answered(url: str, began: float) -> float:
    """Return the seconds until an address answers."""
    while time.monotonic() < began + PATIENCE:
        try:
            if httpx2.get(url, timeout=PATIENCE).is_success:
                return time.monotonic() - began
        except httpx2.TransportError:
            time.sleep(0.02)
    sys.exit(f"{url} did not answer.")


def tell_wire(url: str, name: str) -> None:
    """Print what a browser fetches before a page is quiet."""
    sizes: list[float] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=EXECUTABLE, args=FLAGS)
        page = browser.new_page()
        network = page.context.new_cdp_session(page)
        network.on("Network.loadingFinished", lambda finished: sizes.append(finished["encodedDataLength"]))
        network.send("Network.enable")
        page.goto(url)
        page.wait_for_timeout(QUIET_MS)
        browser.close()
    print(f"{name}, first view: {len(sizes)} requests, {sum(sizes) / 1e3:,.0f} kB")


def tell_memory(app: subprocess.Popen) -> None:
    """Print what each process of the app takes, and all together."""
    root = psutil.Process(app.pid)
    total = 0.0
    for process in (root, *root.children(recursive=True)):
        found = process.memory_full_info()
        total += found.pss / 1e6
        print(f"{' '.join(process.cmdline())[-60:]}: PSS {found.pss / 1e6:.0f} MB, RSS {found.rss / 1e6:.0f} MB")
    print(f"all processes after a while without a visitor: PSS {total:.0f} MB")


if __name__ == "__main__":
    main()
