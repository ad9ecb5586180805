"""No address that somebody names is fetched: a file is sent, or there is none.

Gradio would fetch it before any function of the app is asked, whole into memory, with no limit to its size.
"""

from typing import NoReturn

import gradio as gr
from gradio import processing_utils

REFUSED = "Send the file itself; addresses are not fetched here."


async def _refuse(_url: str, *_: object, **__: object) -> NoReturn:
    raise gr.Error(REFUSED, print_exception=False)


def fetch_none() -> None:
    """Let Gradio refuse every address, in all of this process; it has no setting for that.

    All that fetches, for a field of the page or a program, goes through one of these two.
    """
    processing_utils.async_ssrf_protected_download = _refuse  # before a folder is made for what would come
    processing_utils.async_ssrf_protected_get = _refuse
