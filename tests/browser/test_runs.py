"""A run that breaks off, is found by its owner, by nobody else, and goes when it is told to."""

import json
import os
import re
import signal
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil
from playwright.sync_api import Browser, Page

from tests.browser.visitor import Visitor


def kill_the_run() -> None:
    os.kill(next(one for one in psutil.process_iter() if _trains(one)).pid, signal.SIGKILL)


def _trains(process: psutil.Process) -> bool:
    """Whether it is the process of a run: a nice one below this one."""
    ours = os.getpid() in [parent.pid for parent in process.parents()]
    return ours and process.nice() >= 10


def wait_for_points(page: Page, count: int) -> None:
    """Wait until the first curve has so many points: it is drawn a moment after the words beside it are there."""
    curve = "document.querySelector('#train-loss .figure').data[1].x"
    page.wait_for_function(f"count => {curve}.length === count", arg=count, timeout=10_000)


def test_a_killed_run_says_so_and_is_resumed_from_another_tab(visit, few_rows: Path) -> None:
    visitor = visit()
    visitor.tab("Train")
    visitor.upload(few_rows)
    visitor.choose("Train everything")
    visitor.set("epochs", "4")
    visitor.start()
    page = visitor.page
    page.wait_for_selector("#train-status b:has-text('Epoch 3 of 4')", timeout=120_000)
    kill_the_run()
    assert visitor.wait_until_over() == "interrupted"
    assert re.search("Resume goes on after epoch [12]", page.inner_text("#train-status"))
    page.wait_for_selector("#train-rescued:has-text('best model until then')")
    page.click("#train-pack")
    page.wait_for_selector("#train-download:visible", timeout=60_000)
    other = page.context.new_page()
    other.goto(page.url)
    other.click("[role=tab]:visible:text-is('Train')")
    other.click("#train-resume")
    other.wait_for_selector("#train-status :is(.running, .validating)", timeout=60_000)
    assert page.is_visible("#train-status .interrupted")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # its visitor comes back to this tab
    page.wait_for_selector("#train-status :is(.running, .validating, .finished)", timeout=10_000)
    other.wait_for_selector("#train-status .finished", timeout=120_000)
    wait_for_points(other, 6)  # a blank, epochs 0 to 4
    visitor.reload()
    visitor.tab("Train")
    assert visitor.wait_until_over() == "finished"
    assert not page.is_visible("#train-resume")
    assert visitor.too_wide() == []


def test_an_app_that_is_killed_comes_back_with_the_run(browser: Browser, own_host, few_rows: Path) -> None:
    before = browser.new_context()
    visitor = Visitor(before.new_page())
    visitor.page.goto(own_host.url)
    visitor.page.wait_for_selector("#compare-pairs table", timeout=60_000)
    visitor.tab("Train")
    visitor.upload(few_rows)
    visitor.choose("Train everything")
    visitor.set("epochs", "3")
    visitor.start()
    visitor.page.wait_for_selector("#train-status b:has-text('Epoch 2 of 3')", timeout=120_000)
    kept = before.storage_state()
    own_host.end(signal.SIGKILL)
    own_host.start()
    after = browser.new_context(storage_state=kept)  # the page of before may do what it likes without its server
    back = Visitor(after.new_page())
    page = back.page
    page.goto(own_host.url)
    back.tab("Train")
    assert back.wait_until_over() == "interrupted"
    assert "Resume goes on after epoch 1" in page.inner_text("#train-status")
    page.click("#train-resume")
    page.wait_for_selector("#train-status .finished", timeout=120_000)
    wait_for_points(page, 5)  # a blank, epochs 0 to 3
    assert back.errors == []
    after.close()


def test_a_deleted_run_is_gone_for_good(visit, few_rows: Path) -> None:
    visitor = visit()
    visitor.tab("Train")
    visitor.upload(few_rows)
    visitor.measure()
    page = visitor.page
    page.click("#train-delete")
    page.click("#train-delete-sure")
    page.wait_for_selector("#train-status:has-text('are deleted')")
    page.wait_for_selector("#train-story", state="hidden")
    visitor.reload()
    visitor.tab("Train")
    page.wait_for_selector("#train-status:has-text('your run will be shown here')")
    assert not page.is_visible("#train-delete")


def test_who_has_no_token_reaches_nothing(visit, host, few_rows: Path) -> None:
    visitor = visit()
    visitor.tab("Train")
    visitor.upload(few_rows)
    visitor.measure()
    folders = [path for path in host.runs.iterdir() if not path.name.startswith(".")]
    tokens = [path.name for path in folders]
    assert tokens
    html = visitor.page.content()
    other = visit()
    other.tab("Train")
    other.page.wait_for_selector("#train-status:has-text('your run will be shown here')")
    for path in folders:
        assert path.name not in visitor.page.url
        for guess in (f"{path}/data.json", f"{path}/config.json", f"{path}/best/mtst.json"):
            for route in ("gradio_api/file=", "file="):
                assert _status(f"{host.url}{route}{guess}") in (403, 404)
    assert not any(token in html for token in tokens)
    assert not [path for path in host.uploads.rglob("*.csv") if path.name == few_rows.name]


def test_health_and_headers(address: str) -> None:
    with urlopen(f"{address}health") as answer:
        health = json.load(answer)
        assert health["ok"] is True
        assert {"waiting", "training", "cpu", "memory"} < set(health)
    for path in ("", "health", "config"):
        with urlopen(address + path) as answer:
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "object-src 'none'" in answer.headers["Content-Security-Policy"]


def test_the_load_of_the_server_is_shown(visit) -> None:
    visitor = visit()
    visitor.tab("Train")
    visitor.page.wait_for_selector("#train-server p:has-text('processors')", timeout=15_000)
    assert re.search(r"memory \d+ % full", visitor.page.inner_text("#train-server"))


def _status(url: str) -> int:
    try:
        with urlopen(Request(url)) as answer:
            return answer.status
    except HTTPError as error:
        return error.code
