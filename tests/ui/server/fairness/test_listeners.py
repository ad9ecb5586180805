"""What is held open, by the requests that hold it."""

import asyncio

import httpx2
import pytest

from mtst.ui.server.fairness.listeners import LEFT, Listeners, has_open_page, is_awaited
from tests.browser.conftest import Host


def while_open(path: str, query: str, ask: object) -> tuple[object, object]:
    """Return what a function returns while a request is answered, and afterwards."""
    found: list[object] = []

    async def app(_scope, _receive, _send) -> None:
        found.append(ask())

    scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode()}
    asyncio.run(Listeners(app)(scope, None, None))
    return found[0], ask()


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/gradio_api/heartbeat/mine", ""),
        ("/gradio_api/queue/data", "session_hash=mine"),
        ("/gradio_api/queue/data", "a=b&session_hash=%6Dine"),
        ("/gradio_api/call/predict/event", ""),
        ("/gradio_api/call/v2/predict/event", ""),
    ],
)
def test_an_answer_is_awaited_while_its_request_or_its_page_is_open(path: str, query: str) -> None:
    assert while_open(path, query, lambda: is_awaited("mine", "event")) == (True, False)
    assert while_open(path, query, lambda: is_awaited("theirs", "other")) == (False, False)


def test_a_page_is_open_as_long_as_its_heartbeat() -> None:
    assert while_open("/gradio_api/heartbeat/mine", "", lambda: has_open_page("mine")) == (True, False)
    assert while_open("/gradio_api/queue/data", "session_hash=mine", lambda: has_open_page("mine")) == (False, False)


def test_a_direct_call_knows_that_whoever_made_it_has_left() -> None:
    async def run() -> None:
        left = asyncio.Event()
        messages = [{"type": "http.request", "more_body": more} for more in (True, False)]

        async def receive() -> dict:
            if messages:
                return messages.pop(0)
            await left.wait()
            return {"type": "http.disconnect"}

        async def app(scope, receive, _send) -> None:
            while (await receive()).get("more_body"):
                pass
            await asyncio.sleep(0.01)
            assert LEFT not in scope
            left.set()
            await asyncio.sleep(0.01)
            assert scope[LEFT]

        await Listeners(app)({"type": "http", "method": "POST", "path": "/gradio_api/run/predict"}, receive, None)

    asyncio.run(run())


def test_whoever_waits_for_an_unknown_session_is_told_so_and_the_log_is_not(host: Host) -> None:
    for path in ("queue/data?session_hash=unknown", "call/predict/unknown"):
        assert "404" in httpx2.get(f"{host.url}gradio_api/{path}", timeout=60).text
    assert "HTTPException" not in host.log.read_text(encoding="utf-8")
