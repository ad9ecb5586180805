import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from gradio_client import Client

from tests.browser.conftest import ROOT, Host
from tests.browser.proxy import Proxy

PREFIX = "/mtst"
pytestmark = pytest.mark.slow  # an app of its own


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """The app, started as HOSTING.md says, behind a proxy."""
    text = (ROOT / ".github" / "HOSTING.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^(GRADIO_ROOT_PATH=\S+) python app\.py$", text, re.MULTILINE)
    assert line == f"GRADIO_ROOT_PATH={PREFIX}"
    host = Host(tmp_path_factory.mktemp("proxied"), dict([line.split("=")]))
    host.start()
    with Proxy(host.port, PREFIX) as proxy:
        yield proxy
    host.end()


def test_the_page_works_under_a_path_of_its_own(proxy, visit, few_rows: Path) -> None:
    visitor = visit(address=proxy.url)
    page = visitor.page
    page.fill("#compare-text textarea", "A dog barks.\nA hound is barking.\nShares fell.")
    page.click("#compare-go")
    page.wait_for_function("document.querySelector('#compare-pairs').innerText.includes('hound')")
    visitor.tab("Train")
    visitor.upload(few_rows)
    page.fill("#train-epochs :is(input, textarea)", "2")
    page.click("#train-start")
    page.wait_for_selector("#train-status .finished")
    page.click("#train-pack")
    page.wait_for_selector("#train-download")
    with page.expect_download() as download:
        page.click("#train-download")
    assert download.value.path().stat().st_size > 1e6
    assert proxy.strays == []  # and no answer was an error, or `visit` would say so


def test_health_and_the_api_answer_there_too(proxy) -> None:
    assert httpx2.get(f"{proxy.url}health").json()["ok"]
    client = Client(proxy.url, verbose=False, analytics_enabled=False)
    assert len(client.predict(["A cat sleeps."], api_name="/embed")[0]) == 384
    assert proxy.strays == []
