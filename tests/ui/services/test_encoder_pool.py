"""The encoders that visitors fetch, from a small Hub, by a process that is online with it."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mtst.encoders.catalogue import CATALOGUE, DEFAULT
from tests.support import checkpoints
from tests.support.hub_client import Client
from tests.support.small_hub import Repo, SmallHub

MOST = 1_000.0  # megabytes
PATIENCE = 60  # seconds after which what should have answered hangs


@pytest.fixture(scope="module")
def client(hub: SmallHub, home: Path) -> Iterator[Client]:
    with Client(hub.url, home) as client:
        yield client


@pytest.fixture
def name(hub: SmallHub, tiny_folder, tmp_path: Path) -> Iterator[str]:
    name = f"owner/{tmp_path.name.replace('_', '-')[:40]}"
    hub.add(name, checkpoints.plain(tiny_folder("bert"), tmp_path / "model"))
    yield name
    hub.troubles.clear()


def test_a_download_that_failed_unseen_is_nobody_elses(hub: SmallHub, client: Client, name: str) -> None:
    slow = hub.trouble(f"/content/{name}", hold=threading.Event(), wrong=True, times=1)
    client.call("fetch_and_leave", name=name, megabytes=MOST)
    slow.hold.set()
    client.call("wait_for_downloads")
    assert client.call("fetch_for", visitor="", name=name, megabytes=MOST) is None
    assert len(hub.asked(f"/content/{name}")) == 2


def test_a_failed_download_is_reported_to_everyone_who_waits_for_it(hub: SmallHub, client: Client, name: str) -> None:
    slow = hub.trouble(f"/content/{name}", hold=threading.Event(), wrong=True, times=1)
    both = [client.submit("fetch_for", visitor="", name=name, megabytes=MOST) for _ in range(2)]
    slow.met.wait(PATIENCE)
    slow.hold.set()
    assert any("not what the Hub lists" in (each.result(PATIENCE) or "") for each in both)
    assert client.call("fetch_for", visitor="", name=name, megabytes=MOST) is None


def test_a_hub_that_answers_late_keeps_nobody_from_fetching(hub: SmallHub, client: Client, name: str) -> None:
    asked_for = CATALOGUE[DEFAULT].hub_id
    hub.repos[asked_for] = Repo({f"file-{number}": b"" for number in range(200)})  # more than the first bytes
    slow = hub.trouble(f"/api/models/{asked_for}", hold=threading.Event())
    asked = client.submit("hub_answers", megabytes=MOST)
    assert slow.met.wait(PATIENCE)
    assert client.submit("fetch_for", visitor="", name=name, megabytes=MOST).result(PATIENCE) is None
    assert not asked.done()
    slow.hold.set()
    assert asked.result(PATIENCE) is True
