"""What one address may ask for: how many requests of each kind at once, and how many a minute.

What goes beyond that waits for a moment, which slows down whoever sends too much, and is then refused.

A class of thirty behind one address has one share, so that counts are generous: each of them opens two pages, follows a
run and types. What is scarce is shared elsewhere: places in the queue in `fair_queue`, the processor in `turns`.
"""

import asyncio
import math
import re
import time
from dataclasses import dataclass

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mtst.ui.server.request_limits import route_of
from mtst.ui.server.visitors import visitor_of

PATIENCE_SECONDS = 2.0  # that a request waits for a place
LOOK_SECONDS = 0.25  # between two looks whether there is one
BUSY_SECONDS = 5  # after which somebody may try again who has as many requests under way as allowed
SWEEP_SECONDS = 60.0  # between two times that addresses are forgotten which have asked for nothing


@dataclass(frozen=True)
class Share:
    """The share of one address in one kind of requests.

    Attributes:
        what: what the requests are, in the plural.
        routes: matches the method and the path of each, such as `GET /config`.
        at_once: how many are answered at once.
        per_minute: how many a minute in the long run.
        burst: how many in quick succession.
    """

    what: str
    routes: re.Pattern[str]
    at_once: int
    per_minute: int
    burst: int


def _share(what: str, routes: str, at_once: int, per_minute: int, burst: int) -> Share:
    return Share(what, re.compile(routes), at_once, per_minute, burst)


# The first that matches counts.
SHARES = (
    _share("events of the page", r"POST /gradio_api/queue/join", 32, 1_800, 900),
    _share("calls", r"POST /gradio_api/(call|run|api|mcp)\b", 4, 600, 200),
    _share("uploads", r"POST /gradio_api/upload$", 32, 240, 60),
    _share("listeners to uploads", r"GET /gradio_api/upload_progress", 32, 480, 120),
    _share("open pages", r"GET /gradio_api/heartbeat/", 120, 600, 240),
    _share("open answers", r"GET /gradio_api/(queue/data|call/|mcp)", 120, 1_800, 300),
    _share("downloads", r"(GET|HEAD) /gradio_api/file=", 32, 1_200, 200),
    _share("pages", r"(GET|HEAD) /($|config|gradio_api/(info|openapi))", 32, 600, 200),
    _share("requests", r"", 256, 12_000, 6_000),
)


@dataclass
class _Use:
    """What one address uses of its share: requests under way, and how many it may still send at a time."""

    left: float
    at: float
    running: int = 0

    def refill(self, share: Share, now: float) -> None:
        self.left = min(share.burst, self.left + (now - self.at) * share.per_minute / 60)
        self.at = now


class FairShares:
    """Middleware that refuses with 429 what goes beyond the share of an address."""

    def __init__(self, app: ASGIApp, shares: tuple[Share, ...] = SHARES) -> None:
        self._app, self._shares = app, shares
        self._uses: dict[tuple[str, str], _Use] = {}  # by address and kind; only the event loop's thread touches it
        self._swept_at = time.monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        request = f"{scope['method']} {route_of(scope)}"
        share = next(share for share in self._shares if share.routes.match(request))
        deadline = time.monotonic() + PATIENCE_SECONDS
        while refusal := _refusal(share, use := self._use(visitor_of(scope), share)):
            if time.monotonic() > deadline:
                return await refusal(scope, receive, send)
            await asyncio.sleep(LOOK_SECONDS)
        use.left -= 1
        use.running += 1
        try:
            await self._app(scope, receive, send)
        finally:
            use.running -= 1

    def _use(self, visitor: str, share: Share) -> _Use:
        now = time.monotonic()
        if now - self._swept_at > SWEEP_SECONDS:
            self._swept_at = now
            self._uses = {key: use for key, use in self._uses.items() if use.running or now - use.at < SWEEP_SECONDS}
        use = self._uses.setdefault((visitor, share.what), _Use(share.burst, now))
        use.refill(share, now)
        return use


def _refusal(share: Share, use: _Use) -> Response | None:
    """Return the answer to a request that goes beyond a share, or None."""
    if use.running >= share.at_once:
        seconds = BUSY_SECONDS
        why = f"Your network address has {share.at_once} {share.what} under way, as many as allowed."
    elif use.left < 1:
        seconds = math.ceil((1 - use.left) * 60 / share.per_minute)
        why = f"Too many {share.what} came from your network address."
    else:
        return None
    return too_many(f"{why} {come_back(seconds)}", seconds, plain=share.what == "uploads")


def come_back(seconds: int) -> str:
    """Return the sentence that says when to come back."""
    return f"Try again in {seconds} second{'' if seconds == 1 else 's'}."


def too_many(message: str, seconds: int, *, plain: bool) -> Response:
    """Return an answer that the page shows: plain text after an upload, else the `detail` of JSON."""
    headers = {"Retry-After": str(seconds)}
    if plain:
        return PlainTextResponse(message, 429, headers)
    return JSONResponse({"detail": message}, 429, headers)
