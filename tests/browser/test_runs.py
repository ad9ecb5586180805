"""A run that is followed, that is interrupted, that only its owner finds, and that is deleted."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil
import pytest
from playwright.sync_api import Page

from tests.browser.conftest import WAIT_SECONDS, Host, close_pages, open_page

EVIL = "<img src=x onerror=alert(1)>"


def kill_the_run(host: Host) -> None:
    """Kill the process of the run: of those below the app, the nice one."""
    os.kill(
        next(p for p in psutil.Process(host.process.pid).children(recursive=True) if p.nice() >= 10).pid, signal.SIGKILL
    )


def checkpoints(host: Host) -> set[Path]:
    """Return the checkpoints of all runs that have one."""
    return set(host.runs.glob("*/checkpoint.safetensors"))


def wait_for_checkpoint(page: Page, host: Host, before: set[Path]) -> None:
    """Wait until a run has saved its first epoch, which it does after it has logged it."""
    deadline = time.monotonic() + WAIT_SECONDS
    while checkpoints(host) <= before:
        assert time.monotonic() < deadline, "no checkpoint was written"
        page.wait_for_timeout(20)


def wait_for_epoch(page: Page, epoch: int) -> None:
    """Wait until the curve has the point of an epoch; it begins with a blank and epoch 0."""
    curve = "document.querySelector('#train-loss .figure')?.data?.[1]?.x"
    page.wait_for_function(f"count => {curve}?.length >= count", arg=epoch + 2)


def wait_for_points(page: Page, count: int) -> None:
    """Wait until the first curve has so many points: it is drawn a moment after the words beside it are there."""
    curve = "document.querySelector('#train-loss .figure').data[1].x"
    page.wait_for_function(f"count => {curve}.length === count", arg=count)


def test_a_run_is_followed_live_reopened_and_used(visit_train, few_rows: Path) -> None:
    visitor = visit_train(few_rows)
    visitor.set("epochs", "4")
    visitor.start()
    page = visitor.page
    drawn = visitor.plot("#train-loss")
    assert drawn["names"][:3] == ["topic train", "topic validation", "topic"]
    baselines = [name for name in drawn["names"][6:] if name]
    assert list(dict.fromkeys(baselines)) == ["majority class", "zero-shot", "logistic regression"]
    assert visitor.wait_until_over() == "finished"
    wait_for_points(page, 6)  # a blank, epochs 0 to 4
    page.wait_for_selector("#train-server p:has-text('%')")  # the load of the server
    visitor.reload()
    visitor.tab("Train")
    assert visitor.wait_until_over() == "finished"
    assert visitor.plot("#train-loss")["points"][1] == 6
    visitor.details("Errors")
    page.wait_for_selector("#train-mistakes .confusion")
    assert page.locator("#train-mistakes .confusion").count() == 2
    visitor.details("Layers")
    assert page.locator("#train-story td:has-text('SHA-256')").count() == 7  # the encoder's groups
    page.click("#train-share")
    with page.expect_download() as saved:
        page.click("#train-card [data-save=png]")
    picture = saved.value.path().read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert [int.from_bytes(picture[at : at + 4]) for at in (16, 20)] == [2400, 1260]
    with page.expect_download() as saved:
        page.click("#train-card [data-save=svg]")
    svg = saved.value.path().read_text(encoding="utf-8")
    assert "var(--" not in svg
    assert "@font-face" in svg
    page.click("#train-card [data-key=close]")
    page.wait_for_selector("#train-card", state="hidden")
    page.click("#train-use")
    page.wait_for_selector("#predict-go")
    page.click("#predict-go")
    page.wait_for_selector(".prediction")
    assert page.is_checked("#predict-model input[value=own]")


def test_a_killed_run_says_so_and_is_resumed_from_another_tab(visit_train, host, few_rows: Path) -> None:
    visitor = visit_train(few_rows)
    visitor.choose("train-all")
    visitor.set("epochs", "3")
    before = checkpoints(host)
    visitor.start()
    page = visitor.page
    wait_for_checkpoint(page, host, before)
    kill_the_run(host)
    assert visitor.wait_until_over() == "interrupted"
    page.wait_for_selector("#train-rescued:visible")
    page.click("#train-pack")
    page.wait_for_selector("#train-download:visible")
    other = page.context.new_page()
    other.goto(page.url)
    other.click("[role=tab]:visible:text-is('Train')")
    other.click("#train-resume")
    other.wait_for_selector("#train-status :is(.running, .validating, .finished)")
    assert page.is_visible("#train-status .interrupted")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # its visitor comes back to this tab
    page.wait_for_selector("#train-status :is(.running, .validating, .finished)")
    other.wait_for_selector("#train-status .finished")
    wait_for_points(other, 5)  # a blank, epochs 0 to 3
    page.wait_for_selector("#train-status .finished")
    page.wait_for_selector("#train-resume", state="hidden")
    assert visitor.too_wide() == []


@pytest.fixture
def own_host(tmp_path: Path, tiny_folder) -> Iterator[Host]:
    """An app for one test, which may kill it."""
    host = Host(tmp_path, {"MTST_ENCODER": str(tiny_folder())})
    host.start()
    yield host
    host.end()


@pytest.mark.slow  # two more apps; what the manager does then is tried in tests/runs/test_manager.py each time
def test_an_app_that_is_killed_comes_back_with_the_run(profiles, own_host, few_rows: Path) -> None:
    before = open_page(profiles(0), own_host.url)
    before.tab("Train")
    before.upload(few_rows)
    before.choose("train-all")
    before.set("epochs", "2")
    before.start()
    wait_for_epoch(before.page, 1)
    token = before.token()
    own_host.end(signal.SIGKILL)
    close_pages(profiles(0))
    own_host.start()
    visitor = open_page(profiles(0), own_host.url, stored=token)
    visitor.tab("Train")
    assert visitor.wait_until_over() in ("interrupted", "finished")
    if visitor.page.is_visible("#train-resume"):
        visitor.page.click("#train-resume")
    visitor.page.wait_for_selector("#train-status .finished")
    wait_for_points(visitor.page, 4)  # a blank, epochs 0 to 2
    assert visitor.errors == []
    close_pages(profiles(0))


def test_without_its_token_a_run_is_out_of_reach_and_its_owner_deletes_it(
    visit, host, few_rows: Path, visit_train
) -> None:
    visitor = visit_train(few_rows)
    visitor.measure()
    page = visitor.page
    folders = [path for path in host.runs.iterdir() if not path.name.startswith(".")]
    assert folders
    html = page.content()
    other = visit()
    other.tab("Train")
    other.page.wait_for_selector("#train-status .ready")
    assert other.page.is_disabled("#train-start")
    for path in folders:
        assert path.name not in page.url
        assert path.name not in html
        for guess in (f"{path}/data.json", f"{path}/config.json", f"{path}/best/mtst.json"):
            for route in ("gradio_api/file=", "file="):
                assert _status(f"{host.url}{route}{guess}") in (403, 404)
    assert not [path for path in host.uploads.rglob("*.csv") if path.name == few_rows.name]
    page.click("#train-delete")
    page.click("#train-delete-cancel")
    page.wait_for_selector("#train-delete-sure", state="hidden")
    page.click("#train-delete:enabled")
    page.click("#train-delete-sure")
    page.wait_for_selector("#train-status .ready")
    page.wait_for_selector("#train-run-card", state="hidden")
    visitor.reload()
    visitor.tab("Train")
    page.wait_for_selector("#train-status .ready")
    assert not page.is_visible("#train-delete")


def test_runs_are_listed_renamed_opened_again_and_deleted(visit_train, few_rows: Path) -> None:
    visitor = visit_train(few_rows)
    page = visitor.page
    visitor.set("epochs", "2")
    for _ in range(2):
        visitor.start()
        assert visitor.wait_until_over() == "finished"
    page.click("#train-runs > button")
    names = page.locator("#train-run-list .run-name button")
    page.wait_for_selector("#train-run-list li:nth-child(2)")
    assert names.all_inner_texts() == ["few.csv, Heads only"] * 2
    page.locator("#train-run-list [data-key^=draw]").first.click()
    page.wait_for_selector("#train-overlay .main-svg")
    page.locator("#train-run-list [data-key^=rename]").first.click()
    visitor.set("new-name", EVIL)
    page.click("#train-rename-sure")
    page.wait_for_selector(f"#train-run-list button:text-is('{EVIL}')")
    names.last.click()
    page.wait_for_selector("#train-run-list li.shown:last-child")
    visitor.reload()
    visitor.tab("Train")
    page.wait_for_selector("#train-start:enabled")  # on the rows of the run, since no file is chosen
    page.click("#train-runs > button")
    page.wait_for_selector("#train-run-list li.shown:last-child")
    page.locator("#train-run-list [data-key^=ask]").last.click()
    page.click("#train-run-list [data-key^=delete]")
    page.wait_for_selector("#train-status .ready")
    assert names.all_inner_texts() == [EVIL]
    assert page.locator("#tab-train img").count() == 0
    assert visitor.too_wide() == []


def test_health_and_headers(address: str) -> None:
    with urlopen(f"{address}health") as answer:
        health = json.load(answer)
        assert health["ok"] is True
        assert {"waiting", "training", "cpu", "memory"} < set(health)
    for path in ("", "health", "config"):
        with urlopen(address + path) as answer:
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "object-src 'none'" in answer.headers["Content-Security-Policy"]


def _status(url: str) -> int:
    try:
        with urlopen(Request(url)) as answer:
            return answer.status
    except HTTPError as error:
        return error.code
