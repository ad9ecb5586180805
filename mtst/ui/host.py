"""What a host and a browser need beside the page: `/health`, security headers, and a log."""

import logging
import sys
from collections.abc import Collection, MutableMapping
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mtst.ui.guard import Guard
from mtst.ui.services import Services

# No frame-ancestors and no X-Frame-Options: a Space shows the page in a frame. Gradio's own page needs inline scripts.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' data: blob:; worker-src 'self' blob:; "
        "object-src 'none'; base-uri 'self'; form-action 'self'"
    ),
}


class SecurityHeaders:
    """Adds the headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


class OwnManifest:
    """Lets the page ask for its manifest where it lies itself: behind a proxy the host's root is somebody else's."""

    AT_THE_ROOT, BESIDE = b'href="/manifest.json" />', b'href="manifest.json"  />'  # as long as the other

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def beside(message: Message) -> None:
            if message["type"] == "http.response.body":
                message["body"] = message.get("body", b"").replace(self.AT_THE_ROOT, self.BESIDE)
            await send(message)

        is_page = scope["type"] == "http" and scope["path"].endswith("/")
        await self._app(scope, receive, beside if is_page else send)


def served(services: Services, endpoints: Collection[str]) -> MutableMapping[str, Any]:
    """Return what Gradio's server is made with: the headers, the guard, and `/health` for a host that watches the app.

    `endpoints` are the names of what programs may call.
    """
    settings = services.settings
    limits = {
        "most_bytes": int(2e6 * settings.max_upload_mb + 1e6),  # a table within JSON takes more than by itself
        "most_uploaded": int(1e6 * max(settings.max_upload_mb, settings.max_model_mb) + 1e6),
    }

    async def health(_request: Request) -> JSONResponse:
        runs = services.runs
        return JSONResponse(
            {"ok": True, "waiting": runs.waiting, "training": runs.training} | services.meter.read()._asdict()
        )

    middleware = [Middleware(SecurityHeaders), Middleware(OwnManifest), Middleware(Guard, names=endpoints, **limits)]
    return {"middleware": middleware, "routes": [Route("/health", health)]}


def log_to_stderr() -> None:
    """Write the log, a line of JSON for each change of a run, to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logger = logging.getLogger("mtst")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
