"""The examples of the API's documentation, run as they stand there except for the app's address."""

import json
import re
import subprocess
import sys

import pytest

from tests.browser.conftest import ROOT

ADDRESS = "http://127.0.0.1:7860"
DOCUMENT = (ROOT / "mtst" / "ui" / "api" / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def example(host):
    def find(language: str) -> str:
        (found,) = re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)
        assert ADDRESS in found
        return found.replace(ADDRESS, host.url.rstrip("/"))

    return find


def test_the_clients_library(example) -> None:
    done = subprocess.run([sys.executable, "-c", example("python")], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    *_, scored, label = done.stdout.strip().splitlines()
    assert label == "sports"
    assert 0 < float(scored.split()[0]) < 1
    assert scored.endswith("mtst-model.zip")


def test_plain_http(example) -> None:
    done = subprocess.run(["sh", "-euc", example("sh")], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    kind, data, *_, cosines = (line for line in done.stdout.splitlines() if line)
    assert kind == "event: complete"
    assert json.loads(data.removeprefix("data: "))[0][0]["topic"]["label"] == "sports"
    assert json.loads(cosines)["data"][0][0][0] == pytest.approx(1)


def test_the_address_for_mcp_and_the_list_of_endpoints(example) -> None:
    from tests.browser.test_api import ENDPOINTS

    assert json.loads(example("json"))["mcpServers"]["mtst"]["url"].endswith("/gradio_api/mcp/")  # tried in test_api
    assert set(re.findall(r"^\| `/(\w+)` \|", DOCUMENT, re.MULTILINE)) == ENDPOINTS
