"""The routes that the page, the API and MCP need; Gradio has as many again, and each new version adds some."""

import re
from urllib.parse import parse_qsl, urlencode

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from mtst.ui.server.request_limits import route_of

_READ, _SEND = "(?:GET|HEAD)", "POST"
OPEN_ROUTES = (
    rf"{_READ} /(?:config|health|preview\.png|favicon\.ico|robots\.txt|manifest\.json|theme\.css)?/?",
    rf"{_READ} /(?:assets|static|svelte|pwa_icon)/.+",
    rf"{_READ} /pwa_icon",
    rf"{_READ} /gradio_api/(?:info|openapi\.json|theme\.css|startup-events|queue/data|upload_progress)/?",
    rf"{_READ} /gradio_api/(?:file=|heartbeat/|call/).+",
    rf"{_SEND} /gradio_api/(?:queue/join|cancel|reset|upload)/?",
    rf"{_SEND} /gradio_api/(?:call|run|api)/.+",
    r"(?:GET|HEAD|POST|DELETE) /gradio_api/mcp(?:/.*)?",  # Gradio has it only where the host says so
    r"OPTIONS .+",
)
_OPEN = re.compile("|".join(OPEN_ROUTES))
CLOSED = {"error": "There is nothing at this address."}
# A link with this parameter would fill the page, and what the browser remembers, with what its sender has chosen.
DEEP_LINK = "deep_link"


class OpenRoutes:
    """Middleware that answers 404 for every other route, and takes deep links out of addresses."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http" and _OPEN.fullmatch(f"{scope['method']} {route_of(scope)}"):
            await self._app(_without_deep_link(scope), receive, send)
        else:
            await JSONResponse(CLOSED, 404)(scope, receive, send)


def _without_deep_link(scope: Scope) -> Scope:
    query = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True, encoding="latin-1")
    kept = [(name, value) for name, value in query if name != DEEP_LINK]
    if len(kept) == len(query):
        return scope
    return {**scope, "query_string": urlencode(kept, encoding="latin-1").encode("latin-1")}
