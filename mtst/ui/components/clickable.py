"""HTML whose buttons are events for the server, and the area that shows the answer."""

from typing import Any

import gradio as gr

from mtst.ui.components.templates import static_text

CLICKABLE_JS = static_text("clickable.js")
MATRIX_JS = static_text("confusion_matrix.js")
RUN_LIST_JS = static_text("run_list.js")
ANSWER_JS = static_text("answer_area.js")


def press_js(element_id: str) -> str:
    """Return JavaScript that presses a button, such as a hidden one that downloads what was just written."""
    return f"() => document.querySelector('#{element_id}').click()"


def clickable_html(value: str = "", **kwargs: Any) -> gr.HTML:
    """Return an HTML component; a click on `<button data-key="…">` is its `select` event with that key."""
    return gr.HTML(value, js_on_load=CLICKABLE_JS, apply_default_css=False, **kwargs)


def clickable_matrix(value: str = "", **kwargs: Any) -> gr.HTML:
    """Return an HTML component as `clickable_html` does, for tables whose buttons are one stop of the tab key each."""
    return gr.HTML(value, js_on_load=MATRIX_JS, apply_default_css=False, **kwargs)


def clickable_answers(value: str = "", **kwargs: Any) -> gr.HTML:
    """Return an HTML component as `clickable_html` does, one of whose buttons may open an answer inside it."""
    return gr.HTML(value, js_on_load=CLICKABLE_JS + ANSWER_JS, apply_default_css=False, **kwargs)


def clickable_run_list(value: str = "", **kwargs: Any) -> gr.HTML:
    """Return an HTML component as `clickable_html` does; it shows `<time data-at="…">` in local time."""
    return gr.HTML(value, js_on_load=RUN_LIST_JS, apply_default_css=False, **kwargs)


def answer_area(value: str = "", **kwargs: Any) -> gr.HTML:
    """Return an HTML component that scrolls into view and takes the focus when a new answer arrives."""
    return gr.HTML(value, js_on_load=ANSWER_JS, apply_default_css=False, **kwargs)
