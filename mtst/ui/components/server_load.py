"""A line that says how busy the server is, asked of `/health` by the page itself."""

import gradio as gr

from mtst.ui.components.templates import static_text

LOOK = static_text("server_load.js")


def server_load(**kwargs: object) -> gr.HTML:
    """Return the line as a component."""
    return gr.HTML(html_template='<p class="quiet">&nbsp;</p>', js_on_load=LOOK, apply_default_css=False, **kwargs)
