"""What one address may send, and what it is told beyond that."""

import asyncio
import re

import pytest

from mtst.ui.server.fairness import fair_shares
from mtst.ui.server.fairness.fair_shares import SHARES, FairShares, Share

FEW = Share("events", re.compile("POST /few"), 2, 60, 3)
ALL = Share("requests", re.compile(""), 100, 6_000, 100)


@pytest.fixture
def shares(monkeypatch: pytest.MonkeyPatch):
    """Return a function that sends requests at once, and the app's answers as (status, headers)."""
    monkeypatch.setattr(fair_shares, "PATIENCE_SECONDS", 0.0)
    hold: list[asyncio.Event] = []

    async def app(_scope, _receive, send) -> None:
        await hold[-1].wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    guard = FairShares(app, (FEW, ALL))

    async def ask(path: str, host: str = "198.51.100.1", *more: tuple[bytes, bytes]) -> dict:
        sent: list[dict] = []

        async def send(message: dict) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": path, "client": (host, 1), "headers": [*more]}
        await guard(scope, None, send)
        return {"status": sent[0]["status"], "headers": dict(sent[0]["headers"]), "body": sent[1]["body"]}

    def run(*requests: tuple) -> list[dict]:
        async def all_at_once() -> list[dict]:
            hold.append(asyncio.Event())
            tasks = [asyncio.create_task(ask(*request)) for request in requests]
            await asyncio.sleep(0.02)
            hold[-1].set()
            return await asyncio.gather(*tasks)

        return asyncio.run(all_at_once())

    return run


def statuses(answers: list[dict]) -> list[int]:
    return [answer["status"] for answer in answers]


def test_what_is_too_much_at_once_is_refused_with_when_to_come_back_and_others_are_not(shares) -> None:
    answers = shares(("/few",), ("/few",), ("/few",), ("/other",), ("/few", "198.51.100.2"))
    assert statuses(answers) == [200, 200, 429, 200, 200]
    assert answers[2]["headers"][b"retry-after"] == b"5"
    assert (
        b'"detail":"Your network address has 2 events under way, as many as allowed. Try again in 5 seconds."'
        in (answers[2]["body"])
    )
    assert statuses(shares(("/few",))) == [200]  # they are over


def test_what_comes_too_quickly_is_refused(shares) -> None:
    assert statuses([*shares(("/few",), ("/few",)), *shares(("/few",)), *shares(("/few",))]) == [200, 200, 200, 429]
    (refused,) = shares(("/few",))
    assert b"Too many events came from your network address. Try again in 1 second." in refused["body"]
    assert refused["headers"][b"retry-after"] == b"1"


def test_a_header_that_the_host_has_not_vouched_for_changes_nothing(shares) -> None:
    forged = [("/few", "198.51.100.1", (b"x-forwarded-for", f"203.0.113.{number}".encode())) for number in range(3)]
    assert statuses(shares(*forged)) == [200, 200, 429]


def test_a_request_waits_for_a_place_that_soon_becomes_free(shares, monkeypatch) -> None:
    monkeypatch.setattr(fair_shares, "PATIENCE_SECONDS", 30.0)
    monkeypatch.setattr(fair_shares, "LOOK_SECONDS", 0.01)
    assert statuses(shares(*[("/few",)] * 3)) == [200] * 3


@pytest.mark.parametrize(
    ("request_line", "what"),
    [
        ("POST /gradio_api/queue/join", "events of the page"),
        ("POST /gradio_api/call/predict", "calls"),
        ("POST /gradio_api/call/v2/predict", "calls"),
        ("POST /gradio_api/run/predict", "calls"),
        ("POST /gradio_api/api/predict", "calls"),
        ("POST /gradio_api/mcp/", "calls"),
        ("POST /gradio_api/upload", "uploads"),
        ("GET /gradio_api/upload_progress", "listeners to uploads"),
        ("GET /gradio_api/heartbeat/abc", "open pages"),
        ("GET /gradio_api/queue/data", "open answers"),
        ("GET /gradio_api/call/predict/abc", "open answers"),
        ("GET /gradio_api/file=/tmp/x", "downloads"),
        ("GET /", "pages"),
        ("GET /config", "pages"),
        ("GET /assets/index.js", "requests"),
    ],
)
def test_each_kind_of_request_has_its_share(request_line: str, what: str) -> None:
    assert next(share.what for share in SHARES if share.routes.match(request_line)) == what
