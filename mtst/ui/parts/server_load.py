"""A line that says how busy the server is, asked of `/health` by the page itself."""

from pathlib import Path

import gradio as gr

LOOK = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")


def server_load(**kwargs: object) -> gr.HTML:
    """Return the line as a component."""
    return gr.HTML(html_template='<p class="quiet">&nbsp;</p>', js_on_load=LOOK, apply_default_css=False, **kwargs)
