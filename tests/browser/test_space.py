from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from gradio_client import Client

from tests.browser.conftest import Host

OF_A_SPACE = {
    "SYSTEM": "spaces", "SPACE_ID": "somebody/mtst", "SPACE_HOST": "somebody-mtst.hf.space",
    "GRADIO_SERVER_NAME": "0.0.0.0", "GRADIO_SSR_MODE": "True",  # noqa: S104 (as a Space does)
}  # fmt: skip


@pytest.fixture
def space(tmp_path: Path) -> Iterator[Host]:
    host = Host(tmp_path, OF_A_SPACE)
    host.start()
    yield host
    host.end()


def test_the_app_starts_as_a_space_starts_it(space) -> None:
    assert '"space_id":"somebody/mtst"' in httpx2.get(space.url).text
    assert httpx2.get(f"{space.url}health").json()["ok"]
    client = Client(space.url, verbose=False, analytics_enabled=False)
    assert len(client.predict(["A cat sleeps."], api_name="/embed")[0]) == 384
