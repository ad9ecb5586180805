"""The real app in a process of its own, and a real browser. A missing browser is an error."""

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
from playwright.sync_api import BrowserContext, Page, sync_playwright

from mtst.assets import SMALL_SAMPLE
from tests.browser.visitor import Visitor

ROOT = Path(__file__).resolve().parents[2]
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--in-process-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-sync",
)
WAIT_SECONDS = 240  # for any state of a page: a slow machine shall be slow, and a test has 300 seconds in all
# The system's browser, or Playwright's own if there is none.
EXECUTABLE = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@dataclass
class Host:
    """An app that can be started and ended again and again, with the same folders and address."""

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
    """The app that the tests of one process share."""
    host = Host(tmp_path_factory.mktemp("host"))
    host.start()
    yield host
    host.end()


@pytest.fixture(scope="package")
def address(host: Host) -> str:
    return host.url


def _wait_for(url: str, app: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline and app.poll() is None:
        try:
            with urlopen(url, timeout=5):
                return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.25)
    raise RuntimeError(f"The app did not start:\n{log.read_text()}")


@pytest.fixture(scope="package")
def profiles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[int], BrowserContext]]:
    """Return a browser by its number; tests share them, because what a browser has compiled stays compiled.

    Package-scoped: while Playwright runs, asyncio.run is refused in this thread.
    """
    opened: list[BrowserContext] = []
    with sync_playwright() as playwright:

        def profile(number: int) -> BrowserContext:
            while len(opened) <= number:
                folder = tmp_path_factory.mktemp("profile")
                context = playwright.chromium.launch_persistent_context(folder, executable_path=EXECUTABLE, args=FLAGS)
                context.set_default_timeout(1_000 * WAIT_SECONDS)
                opened.append(context)
            return opened[number]

        yield profile
        for context in opened:
            context.close()


def open_page(
    profile: BrowserContext,
    address: str,
    width: int = 1280,
    theme: str = "light",
    stored: dict[str, str] | None = None,
    tab: str = "Compare",
) -> Visitor:
    """Open the app in a new page of a browser that remembers only `stored`, its local storage.

    Unless `tab` is Compare, no sentences are compared, which saves a second.
    """
    if tab != "Start":  # where a new visitor begins
        stored = {**(stored or {}), "mtst-tab": tab}
    page: Page = profile.new_page()
    profile.clear_cookies()
    parts = urlparse(address)
    origin = {"origin": f"{parts.scheme}://{parts.netloc}", "storageTypes": "local_storage,indexeddb"}
    profile.new_cdp_session(page).send("Storage.clearDataForOrigin", origin)
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=theme)
    if stored:
        page.goto(f"{address}health")  # of the same origin, and without the page's scripts
        page.evaluate("stored => Object.entries(stored).forEach(([k, v]) => localStorage.setItem(k, v))", stored)
    visitor = Visitor(page)
    page.goto(address)
    if tab == "Compare":
        page.wait_for_selector("#compare-pairs table", state="attached")
    else:
        visitor.tab(tab)
    return visitor


def close_pages(profile: BrowserContext) -> None:
    for page in profile.pages[1:]:  # the first is the browser's own, and keeps it open
        page.close()


def check(visitor: Visitor) -> None:
    """Check that nothing failed in a page or was requested elsewhere."""
    assert visitor.errors == []
    assert visitor.hosts <= {"127.0.0.1", None}


@pytest.fixture
def visit(profiles: Callable, address: str) -> Iterator[Callable[..., Visitor]]:
    """Open the app as a visitor in a new page, which is checked and closed at the end."""
    visitors: list[Visitor] = []

    def visit(width: int = 1280, theme: str = "light", address: str = address, **options: object) -> Visitor:
        visitors.append(open_page(profiles(len(visitors)), address, width, theme, **options))
        return visitors[-1]

    yield visit
    for visitor in visitors:
        close_pages(visitor.page.context)
        check(visitor)


@pytest.fixture
def visit_train(visit: Callable[..., Visitor]) -> Callable[..., Visitor]:
    """Open the Train tab in a new page, and upload a file there."""

    def visit_train(file: Path, **options: object) -> Visitor:
        visitor = visit(tab="Train", **options)
        visitor.upload(file)
        return visitor

    return visit_train


@pytest.fixture(scope="module")
def opened(profiles: Callable, address: str) -> Iterator[Visitor]:
    """The one page that all tests of a file share: to load a page takes four seconds of a processor."""
    visitor = open_page(profiles(0), address)
    yield visitor
    close_pages(profiles(0))


@pytest.fixture
def visitor(opened: Visitor) -> Iterator[Visitor]:
    """The shared page, as wide as usual; each test brings what it needs there. No test of its file uses `visit`."""
    opened.page.set_viewport_size({"width": 1280, "height": 900})
    opened.errors.clear()
    yield opened
    check(opened)


@pytest.fixture
def few_rows(tmp_path: Path) -> Path:
    """The first 48 rows of the sample, an epoch of which takes a second even on one core."""
    path = tmp_path / "few.csv"
    path.write_text("".join(SMALL_SAMPLE.read_text(encoding="utf-8").splitlines(keepends=True)[:49]), encoding="utf-8")
    return path
