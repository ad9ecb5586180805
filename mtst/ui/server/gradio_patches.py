"""Everything that changes or reads what Gradio does not document; tried on the version in `TRIED_ON`.

With another version, run `tests/ui/server/test_gradio_patches.py` first.
"""

from typing import Any, NoReturn

import gradio as gr
from gradio import processing_utils
from gradio.state_holder import StateHolder
from gradio.utils import get_upload_folder
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mtst.errors import MtstError

__all__ = [
    "REFUSED",
    "RelativeManifest",
    "check_gradio",
    "forget_session",
    "get_upload_folder",
    "public_endpoints",
    "refuse_url_downloads",
    "rest_between_events",
]

TRIED_ON = "6.31.0"
REFUSED = "Send the file itself; addresses are not fetched here."
# Every download for a field of the page or for the API goes through one of these two.
DOWNLOADS = ("async_ssrf_protected_download", "async_ssrf_protected_get")
SESSION_FIELDS = ("lock", "session_data", "time_last_used")
REST_SECONDS = 0.01  # a visitor does not notice them


def check_gradio() -> None:
    """Check that everything that this file changes exists.

    Raises:
        MtstError: a name is missing in the installed version of Gradio.
    """
    holder = vars(StateHolder())
    missing = [f"gradio.processing_utils.{name}" for name in DOWNLOADS if not hasattr(processing_utils, name)]
    missing += [f"StateHolder.{name}" for name in SESSION_FIELDS if name not in holder]
    missing += [] if hasattr(gr.Blocks()._queue, "sleep_when_free") else ["Queue.sleep_when_free"]
    if missing:
        raise MtstError(
            f"Gradio {gr.__version__} has no {', '.join(missing)}, which mtst changes. "
            f"Install the version that it was tried on: pip install gradio=={TRIED_ON}"
        )


async def _refuse(_url: str, *_args: object, **_kwargs: object) -> NoReturn:
    raise gr.Error(REFUSED, print_exception=False)


def refuse_url_downloads() -> None:
    """Make Gradio refuse every URL that is sent in place of a file, in all of this process.

    Gradio has no setting for that. It would download the file into memory, without a limit to its size, before any
    function of the app is called.
    """
    check_gradio()
    for name in DOWNLOADS:
        setattr(processing_utils, name, _refuse)


def forget_session(demo: gr.Blocks, session: str) -> None:
    """Drop the state that Gradio keeps of a session; it keeps that of the last ten thousand sessions."""
    holder: StateHolder = demo.state_holder
    with holder.lock:
        holder.session_data.pop(session, None)
        holder.time_last_used.pop(session, None)


def rest_between_events(demo: gr.Blocks) -> None:
    """Make Gradio's queue look for new events every `REST_SECONDS`.

    It looks a thousand times a second, which takes 5 % of a processor while nobody is there.
    """
    demo._queue.sleep_when_free = REST_SECONDS


def public_endpoints(demo: gr.Blocks) -> list[Any]:
    """Return the names of the events that programs may call."""
    return [event.api_name for event in demo.fns.values() if event.api_visibility == "public"]


class RelativeManifest:
    """Middleware that makes the link to the page's manifest relative: behind a proxy, `/` may belong to another app."""

    ABSOLUTE, RELATIVE = b'href="/manifest.json" />', b'href="manifest.json"  />'  # of equal length

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_relative(message: Message) -> None:
            if message["type"] == "http.response.body":
                message["body"] = message.get("body", b"").replace(self.ABSOLUTE, self.RELATIVE)
            await send(message)

        is_page = scope["type"] == "http" and scope["path"].endswith("/")
        await self._app(scope, receive, send_relative if is_page else send)
