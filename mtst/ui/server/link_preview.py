"""What a link to the page shows elsewhere: title, description and picture, in place of Gradio's own."""

import re
from html import escape

from gradio.route_utils import get_root_url
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mtst.assets import ASSETS

PICTURE = ASSETS / "preview.png"
TITLE = "mtst: what should you freeze?"
DESCRIPTION = (
    "Fine-tune a sentence model on your labels, choose which layers to freeze, watch it train, and take the model home."
)
FOREIGN = re.compile(rb'<meta\s+(?:property="og:|name="twitter:)[^>]*>\s*')
PLACE = b'<meta charset="utf-8" />'


class LinkPreview:
    """Middleware that puts the preview into the head of the page, with addresses as the visitor's host has them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start: Message = {}
        body = bytearray()

        async def send_page(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            page = bytes(body)
            if b"text/html" in dict(start["headers"]).get(b"content-type", b""):
                page = _with_preview(page, get_root_url(Request(scope), scope["path"], None))
                MutableHeaders(scope=start)["content-length"] = str(len(page))
            await send(start)
            await send({"type": "http.response.body", "body": page})

        is_page = scope["type"] == "http" and scope["method"] == "GET" and scope["path"].endswith("/")
        await self._app(scope, receive, send_page if is_page else send)


def _with_preview(page: bytes, address: str) -> bytes:
    return FOREIGN.sub(b"", page).replace(PLACE, PLACE + preview_tags(address).encode(), 1)


def preview_tags(address: str) -> str:
    """Return the elements of the head for a page at an address."""
    picture = f"{address}/{PICTURE.name}"
    named = {"description": DESCRIPTION, "twitter:card": "summary_large_image"}
    properties = {
        "og:type": "website", "og:title": TITLE, "og:description": DESCRIPTION, "og:url": f"{address}/",
        "og:image": picture, "og:image:width": "1200", "og:image:height": "630",
    }  # fmt: skip
    return "".join(
        f'<meta {attribute}="{name}" content="{escape(content)}" />'
        for attribute, tags in (("name", named), ("property", properties))
        for name, content in tags.items()
    )


async def _picture(_request: Request) -> FileResponse:
    return FileResponse(PICTURE)


PICTURE_ROUTE = Route(f"/{PICTURE.name}", _picture)
