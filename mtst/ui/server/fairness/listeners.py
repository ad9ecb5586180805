"""Who is there: which pages are open, for which answers somebody waits, and who has left before theirs.

A page and an answer of the queue each hold a request as long as they are open; a direct call is its own.
"""

import asyncio
import re
from collections import Counter
from typing import Any
from urllib.parse import parse_qs

import gradio as gr
from gradio.context import LocalContext
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mtst.ui.server.request_limits import route_of

LEFT = "mtst.left"  # true in the scope of a request for whose answer nobody waits any more
PAGE = re.compile(r"/gradio_api/heartbeat/(.+)")
CALL = re.compile(r"/gradio_api/call/(?:v2/)?[^/]+/(.+)")
EVENTS = "/gradio_api/queue/data"
DIRECT_CALL = re.compile(r"/gradio_api/(?:run|api)/")
_open: Counter[tuple[str, str]] = Counter()  # requests, by what they hold open and its session or event


class Listeners:
    """Middleware that knows what is held open, and marks direct calls whose connection ends."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["method"] == "POST" and DIRECT_CALL.match(route_of(scope)):
            await self._watch(scope, receive, send)
        elif scope["method"] == "GET" and (held := _held(scope)):
            await self._hold(held, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _hold(self, held: tuple[str, str], scope: Scope, receive: Receive, send: Send) -> None:
        _open[held] += 1
        try:
            await self._app(scope, receive, send)
        except RuntimeError as error:
            if not isinstance(error.__cause__, HTTPException):
                raise
            # Whoever asks for an unknown session has been told so; to log it would take this thread a long time.
            await send({"type": "http.response.body"})
        finally:
            _open[held] -= 1
            if not _open[held]:
                del _open[held]

    async def _watch(self, scope: Scope, receive: Receive, send: Send) -> None:
        whole = asyncio.Event()

        async def receive_body() -> Message:
            message = await receive()
            if not message.get("more_body"):
                whole.set()
            return message

        async def mark_when_left() -> None:
            await whole.wait()
            while (await receive())["type"] != "http.disconnect":
                pass
            scope[LEFT] = True

        watching = asyncio.create_task(mark_when_left())
        try:
            await self._app(scope, receive_body, send)
        finally:
            watching.cancel()


def _held(scope: Scope) -> tuple[str, str] | None:
    """Return what a request holds open, and the session or the event that it does so for."""
    path = route_of(scope)
    if page := PAGE.fullmatch(path):
        return "page", page[1]
    if call := CALL.fullmatch(path):
        return "answer", call[1]
    if path.rstrip("/") == EVENTS:
        return "answer", parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", [""])[0]
    return None


def has_open_page(session: str) -> bool:
    """Return whether a page of this session is open."""
    return ("page", session) in _open


def is_awaited(session: str, event: str) -> bool:
    """Return whether somebody waits for the answer to an event of a session, or has its page open and soon will."""
    return has_open_page(session) or ("answer", session) in _open or ("answer", event) in _open


def check_still_awaited() -> None:
    """Check that whoever asked for what this thread does has not left.

    Raises:
        gr.Error: they have; no handler shows it, and nothing logs it.
    """
    wrapped: Any = LocalContext.request.get(None)
    request = wrapped.request if isinstance(wrapped, gr.Request) else wrapped  # over MCP it is not wrapped
    if request is not None and request.scope.get(LEFT):
        raise gr.Error("Nobody waits for this any more.", print_exception=False)
