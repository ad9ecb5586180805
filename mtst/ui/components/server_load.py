"""A line that shows how busy the server is; the browser reads it from `/health`."""

from typing import Any

import gradio as gr

from mtst.ui.components.templates import static_text

SERVER_LOAD_JS = static_text("server_load.js")


def server_load(**kwargs: Any) -> gr.HTML:
    """Return the line as a component."""
    return gr.HTML(
        html_template='<p class="quiet">&nbsp;</p>', js_on_load=SERVER_LOAD_JS, apply_default_css=False, **kwargs
    )
