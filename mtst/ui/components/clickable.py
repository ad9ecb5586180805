"""HTML whose buttons are events for the server, and the area that shows the answer."""

from typing import Any

import gradio as gr

from mtst.ui.components.templates import static_text

CLICKABLE_JS = static_text("clickable.js")
ANSWER_JS = static_text("answer_area.js")


def clickable_html(value: str = "", **kwargs: Any) -> gr.HTML:
    """Return an HTML component; a click on `<button data-key="…">` is its `select` event with that key."""
    return gr.HTML(value, js_on_load=CLICKABLE_JS, apply_default_css=False, **kwargs)


def answer_area(value: str = "", **kwargs: Any) -> gr.HTML:
    """Return an HTML component that scrolls into view and takes the focus when a new answer arrives."""
    return gr.HTML(value, js_on_load=ANSWER_JS, apply_default_css=False, **kwargs)
