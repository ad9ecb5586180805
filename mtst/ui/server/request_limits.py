"""Limits on requests: public endpoints only, no body that is too large, no upload to a full disk, no URLs."""

import re
from collections.abc import Collection

from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mtst.ui.server.gradio_patches import REFUSED
from mtst.ui.server.temporary_files import NO_ROOM, has_room

BY_NAME = re.compile(r"/gradio_api/(?:call(?:/v2)?|run|api)/([^/]+)")
URL_AS_FILE = re.compile(r"/gradio_api/file=\s*http", re.IGNORECASE)  # Gradio would act as a proxy for that URL
UPLOAD = "/gradio_api/upload"
# Bytes of a body by its route; the first that matches counts. Of the rest, tables take most.
SMALL_BODIES = (
    (re.compile(r"/gradio_api/(?:cancel|reset|(?:call(?:/v2)?|run|api)/(?:run|stop|model))\b"), 65_536),
    (re.compile(r"/gradio_api/(?:queue/join|(?:call(?:/v2)?|run|api)/(?:embed|similarity|predict))\b"), 8_000_000),
)
RECEIVED = "mtst.received"  # where the scope says how many bytes of the body have come
UNKNOWN = {"error": "There is no such endpoint. /gradio_api/info lists those that there are."}
TOO_LARGE = {"error": "This is larger than what may be sent here."}


class RequestLimits:
    """Middleware that refuses requests before Gradio sees them: Gradio would call any event by its name."""

    def __init__(self, app: ASGIApp, endpoints: Collection[str], max_bytes: int, max_upload_bytes: int) -> None:
        self._app, self._endpoints = app, frozenset(endpoints)
        self._max_bytes, self._max_upload_bytes = max_bytes, max_upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        path = route_of(scope)
        named = BY_NAME.match(path)
        if named and named[1] not in self._endpoints:
            return await JSONResponse(UNKNOWN, 404)(scope, receive, send)
        if URL_AS_FILE.match(path):
            return await JSONResponse({"error": REFUSED}, 403)(scope, receive, send)
        max_bytes = self._max_upload_bytes if path == UPLOAD else min(self._max_bytes, _max_bytes(path))
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if not length.isdigit() or int(length) > max_bytes:
            return await JSONResponse(TOO_LARGE, 413)(scope, receive, send)
        if path == UPLOAD and not has_room():
            return await PlainTextResponse(NO_ROOM, 507)(scope, receive, send)  # the page shows it as it is
        received = 0

        async def limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            scope[RECEIVED] = received
            too_much = received > max_bytes or (path == UPLOAD and not has_room())  # the disk may have filled meanwhile
            return {"type": "http.disconnect"} if too_much else message

        return await self._app(scope, limited, send)


def route_of(scope: Scope) -> str:
    """Return the path without the root path, which some proxies leave in place."""
    path, root = scope["path"], scope.get("root_path", "")
    return path.removeprefix(root) if path.startswith(f"{root}/") else path


def _max_bytes(path: str) -> float:
    return next((size for route, size in SMALL_BODIES if route.match(path)), float("inf"))
