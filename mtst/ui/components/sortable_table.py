"""Tables that the browser sorts when the heading of a column is clicked."""

from collections.abc import Iterable, Sequence
from typing import Any

import gradio as gr
from markupsafe import Markup

from mtst.ui.components.templates import render, static_text

SORT_JS = static_text("sortable_table.js")
CSS = static_text("sortable_table.css")
Cell = tuple[str, float]  # the text, and the number that it is sorted by


def sortable_html(value: str = "", **kwargs: Any) -> gr.HTML:
    """Return an HTML component for tables of `sortable_table`."""
    return gr.HTML(value, css_template=CSS, js_on_load=SORT_JS, apply_default_css=False, **kwargs)


def sortable_table(
    header: Sequence[str], rows: Iterable[Sequence[Cell]], name: str, text_columns: Iterable[int] = ()
) -> Markup:
    """Return a table with a button for each heading, which scrolls on its own; `name` describes its content."""
    return render("components/sortable_table", header=header, rows=rows, name=name, text_columns=set(text_columns))
