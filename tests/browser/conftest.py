"""The real app, started as a visitor's host would, and a real browser. A missing browser is an error."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlparse
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, BrowserContext, BrowserType, Page, sync_playwright

from mtst.assets import SMALL_SAMPLE
from tests.browser.visitor import Visitor

ROOT = Path(__file__).resolve().parents[2]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]
START_SECONDS = 120
# From the system if there is one, or else the one that Playwright brought.
FOUND = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@dataclass
class Host:
    """Starts the app for a test, each time with the same folders, and tells its address."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen | None = None

    def __post_init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self.runs, self.uploads, self.log = (self.folder / name for name in ("runs", "uploads", "log.txt"))

    def start(self) -> None:
        environment = os.environ | {
            "GRADIO_SERVER_PORT": str(self.port),
            "MTST_RUNS_DIR": str(self.runs),
            "HF_HUB_OFFLINE": "1",
            "MTST_MAX_RUNS_AN_HOUR": "1000",  # all visitors of the tests have one address
            "GRADIO_TEMP_DIR": str(self.uploads),
            **self.settings,
        }
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=output, stderr=output
            )
        _wait_for(self.url, self.process, self.log)

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(number)
        self.process.wait(30)


@pytest.fixture(scope="package")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """The app that the tests share, on a port of its own and with an empty folder of runs."""
    host = Host(tmp_path_factory.mktemp("host"))
    host.start()
    yield host
    host.end()


@pytest.fixture(scope="package")
def address(host: Host) -> str:
    return host.url


@pytest.fixture
def own_host(tmp_path: Path) -> Iterator[Host]:
    """An app of the test's own."""
    host = Host(tmp_path)
    host.start()
    yield host
    host.end()


def _wait_for(url: str, app: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and app.poll() is None:
        try:
            with urlopen(url, timeout=5):
                return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.25)
    raise RuntimeError(f"The app did not start:\n{log.read_text()}")


@pytest.fixture(scope="package")
def chromium() -> Iterator[BrowserType]:
    """What starts browsers.

    It goes with this package: as long as Playwright runs, asyncio.run is refused in this thread.
    """
    with sync_playwright() as playwright:
        yield playwright.chromium


@pytest.fixture(scope="package")
def browser(chromium: BrowserType) -> Iterator[Browser]:
    """A browser that remembers nothing."""
    browser = chromium.launch(executable_path=FOUND, args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture(scope="package")
def profiles(chromium: BrowserType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable]:
    """A browser for each visitor of a test, which the next test has again: what it has compiled once stays compiled."""
    opened: list[BrowserContext] = []

    def profile(number: int) -> BrowserContext:
        while len(opened) <= number:
            folder = tmp_path_factory.mktemp("profile")
            opened.append(chromium.launch_persistent_context(folder, executable_path=FOUND, args=FLAGS))
        return opened[number]

    yield profile
    for context in opened:
        context.close()


@pytest.fixture
def visit(profiles: Callable, address: str) -> Iterator:
    """Open the app as a visitor; afterwards nothing may have failed in the page or left this machine."""
    visitors: list[Visitor] = []

    def open_page(width: int = 1280, theme: str = "light", address: str = address) -> Visitor:
        page: Page = profiles(len(visitors)).new_page()
        page.context.clear_cookies()
        place = urlparse(address)
        stored = {"origin": f"{place.scheme}://{place.netloc}", "storageTypes": "local_storage,indexeddb"}
        page.context.new_cdp_session(page).send("Storage.clearDataForOrigin", stored)
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=theme)
        visitor = Visitor(page)
        visitors.append(visitor)
        page.goto(address)
        page.wait_for_selector("#compare-pairs table", timeout=60_000)
        return visitor

    yield open_page
    for visitor in visitors:
        for page in visitor.page.context.pages[1:]:  # the first is the browser's own, and keeps it open
            page.close()
        assert visitor.errors == []
        assert visitor.hosts <= {"127.0.0.1", None}


@pytest.fixture
def few_rows(tmp_path: Path) -> Path:
    """A part of the sample, an epoch of which takes seconds even on one processor."""
    path = tmp_path / "few.csv"
    path.write_text("".join(SMALL_SAMPLE.read_text(encoding="utf-8").splitlines(keepends=True)[:81]), encoding="utf-8")
    return path
