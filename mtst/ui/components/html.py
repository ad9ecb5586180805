"""Small pieces of HTML that several tabs share.

The page that the command line writes uses them too, so gradio is imported only where it is needed.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from mtst.ui.components.templates import render

if TYPE_CHECKING:
    import gradio as gr


def card(title: str, number: int | None = None, note: str = "", **kwargs: Any) -> "gr.Column":
    """Open a card with a heading; use it in a `with`."""
    import gradio as gr

    column = gr.Column(elem_classes="card", **kwargs)
    with column:
        html(render("components/card_title", title=title, number=number, note=note))
    return column


def html(value: str = "", **kwargs: Any) -> "gr.HTML":
    """Return a piece of HTML as a component."""
    import gradio as gr

    return gr.HTML(value, apply_default_css=False, **kwargs)


def empty(title: str, text: str, height: int = 260) -> Markup:
    """Return the placeholder of a result, at least `height` pixels high."""
    return render("components/empty", title=title, text=text, height=height)


def show_message(value: str) -> dict[str, Any]:
    """Return the update that shows a message, or hides its component if it is empty."""
    import gradio as gr

    return gr.update(value=value, visible=bool(value))


def quiet(text: str) -> Markup:
    """Return a paragraph in muted style."""
    return render("components/quiet", text=text)


def problem(text: object) -> Markup:
    """Return a message that says what is wrong and what to do."""
    return render("components/problem", text=str(text))


def bars(rows: Iterable[tuple[str, float, str]], rest: str = "") -> Markup:
    """Return a list of bars.

    Args:
        rows: of each bar its name, its length between 0 and 1, and its value.
        rest: a last line without a bar.
    """
    return render("components/bars", rows=rows, rest=rest)


Row = tuple[str, Sequence[tuple[str, str]]]  # a sentence, and the names and values of its facts


def sentence_list(title: str, rows: Iterable[Row]) -> Markup:
    """Return sentences, each with a few facts below it, as a list: readable where columns would be too narrow."""
    return render("components/sentence_list", title=title, rows=rows)


def table(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, caption: str = "", text_columns: Iterable[int] = (0,)
) -> Markup:
    """Return a table of plain cells that scrolls on its own where it is too wide; `text_columns` are left-aligned."""
    return render("components/table", header=header, rows=rows, caption=caption, text_columns=set(text_columns))
