"""A visitor chooses an encoder that has to be fetched: from a small Hub, with its progress in view."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.conftest import Host
from tests.support import checkpoints
from tests.support.small_hub import SmallHub

NAME = "distilbert-base-uncased"


@pytest.fixture
def hub(tiny_folder, tmp_path: Path) -> Iterator[SmallHub]:
    with SmallHub() as hub:
        hub.add(NAME, checkpoints.large(tiny_folder("bert"), tmp_path / "model"))
        yield hub


@pytest.fixture
def online(hub: SmallHub, tmp_path: Path) -> Iterator[Host]:
    """An app whose Hub is the small one."""
    environment = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "0"}
    host = Host(tmp_path, environment | {"MTST_CUSTOM_ENCODERS": "yes"})
    host.start()
    yield host
    host.end()


@pytest.mark.slow  # an app of its own; what it reads is tried in tests/data/readers/test_hub_dataset.py each time
def test_a_dataset_of_the_hub_is_read_by_its_name(hub: SmallHub, online: Host, visit, few_rows: Path) -> None:
    hub.add_dataset("owner/moods", {"train.csv": few_rows.read_bytes(), "test.csv": b"text,mood\na,x\nb,y\nc,x\nd,y\n"})
    visitor = visit(address=online.url)
    visitor.tab("Train")
    page = visitor.page
    page.click("#train-hub > button")
    page.fill("#train-hub-id input", "owner/nothing")
    page.click("#train-hub-read")
    page.wait_for_selector("#train-unread:has-text('no public dataset')")
    page.fill("#train-hub-id input", "owner/moods")
    page.press("#train-hub-id input", "Enter")
    page.wait_for_selector("#train-report:has-text('48')")
    page.click("#train-reading > button")
    page.click("#train-sheet input")
    page.click("[role=option]:has-text('test')")
    page.wait_for_selector("#train-labels :text('mood')")
    assert visitor.too_wide() == []
    assert visitor.errors == []


@pytest.mark.slow  # an app of its own; the handlers are tried in tests/ui/train/form/test_encoder_picker.py each time
def test_an_encoder_is_seen_fetched_and_trained(hub: SmallHub, online: Host, visit_train, few_rows: Path) -> None:
    slow = hub.trouble(f"/content/{NAME}", hold=threading.Event())
    visitor = visit_train(few_rows, address=online.url)
    page = visitor.page
    page.click("#train-encoder > button")
    card = page.locator(f"#train-encoder-list label:has(input[value='{NAME}'])")
    card.wait_for()
    assert re.search(r"\b66 million\b.*\b268 MB\b", card.inner_text(), re.DOTALL)
    page.click("#train-encoder-list label:has(input[value='legal-bert'])")
    page.wait_for_selector("#train-encoder-state [role=alert]:has-text('all-MiniLM-L6-v2')")
    assert "'legal-bert'" in page.inner_text("#train-encoder-state")
    card.click()
    page.wait_for_selector("#train-encoder-state [role=progressbar]")
    assert "all-MiniLM-L6-v2" in page.inner_text("#train-encoder-state")
    page.wait_for_selector("#train-encoder-list:not(:has(input:enabled))")  # a second choice would be lost
    slow.hold.set()
    page.wait_for_selector("#train-encoder-state:has-text('32')")
    page.wait_for_selector("#train-encoder-list:not(:has(input:disabled))")
    page.wait_for_function(
        "document.querySelectorAll('#train-layers button').length === 5"
    )  # the tiny one's, two heads
    assert NAME in page.inner_text("#train-encoder > button")
    assert visitor.too_wide() == []
    visitor.measure()
    visitor.details("Reproduce")
    page.wait_for_selector("#train-command pre")
    assert f"--encoder {NAME}" in page.inner_text("#train-command pre")
    assert "268 MB" not in card.inner_text()
    page.fill("#train-encoder-id :is(input, textarea)", "../../etc")
    page.click("#train-encoder-look")
    page.wait_for_selector("#train-encoder-state [role=alert]:has-text('../../etc')")
