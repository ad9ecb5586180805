"""No address that somebody names is fetched: a file is sent, or there is none.

Gradio would fetch it before any function of the app is asked, whole into memory, with no limit to its size.
"""

from typing import NoReturn

import gradio as gr
from gradio import processing_utils
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REFUSED = "Send the file itself; addresses are not fetched here."


async def _refuse(_url: str, *_: object, **__: object) -> NoReturn:
    raise gr.Error(REFUSED, print_exception=False)


def refuse_url_downloads() -> None:
    """Let Gradio refuse every address, in all of this process; it has no setting for that.

    All that fetches, for a field of the page or a program, goes through one of these two.
    """
    processing_utils.async_ssrf_protected_download = _refuse  # before a folder is made for what would come
    processing_utils.async_ssrf_protected_get = _refuse


class RelativeManifest:
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
