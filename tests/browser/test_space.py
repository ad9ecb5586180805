"""The app as a Space starts it, with the API's endpoints as MCP tools."""

import asyncio
import json
import threading
from collections.abc import Iterator

import httpx2
import pytest
from gradio_client import Client

from mtst.assets import SMALL_SAMPLE
from tests.browser.conftest import Host
from tests.browser.test_api import ENDPOINTS

SPACE = {
    "SYSTEM": "spaces", "SPACE_ID": "somebody/mtst", "SPACE_HOST": "somebody-mtst.hf.space",
    "GRADIO_SERVER_NAME": "0.0.0.0", "GRADIO_SSR_MODE": "True",  # noqa: S104 (as a Space does)
    "MTST_MCP": "1",
}  # fmt: skip
PREFIX = "mtst_"  # of tools on a Space: its name


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    host = Host(tmp_path_factory.mktemp("space"), SPACE)
    host.start()
    yield host
    host.end()


def test_the_app_starts_as_a_space_starts_it(space) -> None:
    assert '"space_id":"somebody/mtst"' in httpx2.get(space.url).text
    assert httpx2.get(f"{space.url}health").json()["ok"]
    client = Client(space.url, verbose=False, analytics_enabled=False)
    assert len(client.predict(["A cat sleeps."], api_name="/embed")[0]) == 384


def test_the_endpoints_are_mcp_tools_where_the_host_says_so(space) -> None:
    async def talk() -> tuple[dict, list]:
        from mcp import ClientSession
        from mcp.client.streamable_http import streamable_http_client

        async with (
            streamable_http_client(f"{space.url}gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            tools = {tool.name.removeprefix(PREFIX): tool for tool in (await session.list_tools()).tools}
            calls = [
                ("predict", {"sentences": ["What a wonderful goal!"]}),
                ("train", {"table": SMALL_SAMPLE.read_text(encoding="utf-8"), "labels": ["topic"], "epochs": 1}),
                ("run", {"token": "no such run"}),
            ]
            return tools, [await session.call_tool(PREFIX + name, arguments) for name, arguments in calls]

    result: list = []
    thread = threading.Thread(target=lambda: result.append(asyncio.run(talk())))  # Playwright has a loop in this one
    thread.start()
    thread.join()
    ((tools, (predicted, trained, refused)),) = result
    assert set(tools) == ENDPOINTS
    assert "1,000" in tools["embed"].inputSchema["properties"]["sentences"]["description"]
    assert "request" not in tools["embed"].inputSchema["properties"]
    assert "file" not in tools["train"].inputSchema["properties"]
    assert json.loads(predicted.content[0].text)[0]["topic"]["label"] == "sports"
    assert len(trained.content[0].text) == 32
    assert refused.isError
    assert "not here any more" in refused.content[0].text
