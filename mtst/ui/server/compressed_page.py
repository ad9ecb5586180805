"""The page in a tenth of its bytes: Gradio compresses only what has the name of a file."""

import asyncio
import gzip
from functools import lru_cache

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGES_KEPT = 8  # there is one for each name that visitors know the host by
SMALL = 1_000  # bytes that are sent as they are


class CompressedPage:
    """Middleware that compresses the page and its description, which are the same for all visitors."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start: Message = {}
        body = bytearray()

        async def send_compressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            headers, page = MutableHeaders(scope=start), bytes(body)
            if len(page) > SMALL and "content-encoding" not in headers:
                page = await asyncio.to_thread(_compress, page)
                headers["content-encoding"], headers["content-length"] = "gzip", str(len(page))
                headers.add_vary_header("Accept-Encoding")
            await send(start)
            await send({"type": "http.response.body", "body": page})

        is_page = scope["type"] == "http" and scope["method"] == "GET" and scope["path"].endswith(("/", "/config"))
        takes_it = is_page and "gzip" in Headers(scope=scope).get("accept-encoding", "")
        await self._app(scope, receive, send_compressed if takes_it else send)


@lru_cache(PAGES_KEPT)
def _compress(page: bytes) -> bytes:
    return gzip.compress(page, mtime=0)
