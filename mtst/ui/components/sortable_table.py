"""Tables that are sorted in the page, by pressing the heading of a column."""

from collections.abc import Iterable, Sequence

import gradio as gr

from mtst.text import escape_html
from mtst.ui.components.templates import static_text

SORT = static_text("sortable_table.js")
LOOK = """
th button { all: unset; cursor: pointer; border-radius: 4px; padding: 2px 0; white-space: nowrap; }
th button::after { content: ' ↕'; opacity: .55; }
th[aria-sort=descending] button::after { content: ' ↓'; opacity: 1; }
th[aria-sort=ascending] button::after { content: ' ↑'; opacity: 1; }
th button:focus-visible { outline: 2px solid var(--ink); outline-offset: 2px; }
thead th { position: sticky; top: 0; background: var(--card); z-index: 1; }
"""
Cell = tuple[str, float]  # what it says, and by what it is sorted


def sortable_html(value: str = "", **kwargs: object) -> gr.HTML:
    """Return a piece of HTML whose tables of `sortable` can be sorted."""
    return gr.HTML(value, css_template=LOOK, js_on_load=SORT, apply_default_css=False, **kwargs)


def sortable_table(
    header: Sequence[str], rows: Iterable[Sequence[Cell]], name: str, text_columns: Iterable[int] = ()
) -> str:
    """Return a table whose headings are buttons; it scrolls on its own, and `name` says what it holds."""
    left = set(text_columns)

    def kind(index: int) -> str:
        return ' class="text"' if index in left else ""

    head = "".join(
        f'<th scope="col"{kind(k)}><button type="button">{escape_html(title)}</button></th>'
        for k, title in enumerate(header)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f'<td{kind(k)} data-order="{order:.6f}"><span dir="auto">{escape_html(text)}</span></td>'
            for k, (text, order) in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll" role="region" aria-label="{escape_html(name)}" tabindex="0">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
