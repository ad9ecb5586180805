"""Programs ask by name for endpoints alone; nothing too large is sent, nothing without room, nothing from elsewhere."""

import re
from collections.abc import Collection

from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mtst.ui.server.gradio_patches import REFUSED
from mtst.ui.server.temporary_files import NO_ROOM, has_room

BY_NAME = re.compile(r"/gradio_api/(?:call(?:/v2)?|run|api)/([^/]+)")
ELSEWHERE = re.compile(r"/gradio_api/file=\s*http", re.IGNORECASE)  # Gradio would pass on what it fetches there
UPLOAD = "/gradio_api/upload"
UNKNOWN = {"error": "There is no such endpoint. /gradio_api/info lists those that there are."}
TOO_LARGE = {"error": "This is larger than what may be sent here."}


class RequestLimits:
    """Answers before Gradio does where Gradio would call whatever event has that name."""

    def __init__(self, app: ASGIApp, names: Collection[str], most_bytes: int, most_uploaded: int) -> None:
        self._app, self._names = app, frozenset(names)
        self._most, self._most_uploaded = most_bytes, most_uploaded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        path = _route(scope)
        named = BY_NAME.match(path)
        if named and named[1] not in self._names:
            return await JSONResponse(UNKNOWN, 404)(scope, receive, send)
        if ELSEWHERE.match(path):
            return await JSONResponse({"error": REFUSED}, 403)(scope, receive, send)
        most = self._most_uploaded if path == UPLOAD else self._most
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if not length.isdigit() or int(length) > most:
            return await JSONResponse(TOO_LARGE, 413)(scope, receive, send)
        if path == UPLOAD and not has_room():
            return await PlainTextResponse(NO_ROOM, 507)(scope, receive, send)  # the page shows it as it is
        came = 0

        async def measured() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            enough = came > most or (path == UPLOAD and not has_room())  # others may have come meanwhile
            return {"type": "http.disconnect"} if enough else message

        return await self._app(scope, measured, send)


def _route(scope: Scope) -> str:
    """Return the path by which the app finds what answers: without the root path, where a proxy has left that on."""
    path, root = scope["path"], scope.get("root_path", "")
    return path.removeprefix(root) if path.startswith(f"{root}/") else path
