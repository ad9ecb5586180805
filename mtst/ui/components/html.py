"""Small pieces of HTML that several tabs use."""

from collections.abc import Iterable, Sequence

import gradio as gr

from mtst.text import escape_html, truncate


def card(title: str, number: int | None = None, note: str = "", **kwargs: object) -> gr.Column:
    """Open a card with a heading; use it in a `with`."""
    column = gr.Column(elem_classes="card", **kwargs)
    with column:
        badge = f'<em aria-hidden="true">{number}</em>' if number else ""
        small = f"<small>{escape_html(note)}</small>" if note else ""
        html(f"<h2>{badge}{escape_html(title)}{small}</h2>")
    return column


def html(value: str = "", **kwargs: object) -> gr.HTML:
    """Return a piece of HTML as a component."""
    return gr.HTML(value, apply_default_css=False, **kwargs)


def empty(title: str, text: str, height: int = 260) -> str:
    """Return what stands where a result will be, at least so many pixels high."""
    return f'<div class="empty" style="min-height: {height}px"><h3>{escape_html(title)}</h3><p>{escape_html(text)}</p></div>'


def said(value: str) -> dict:
    """Return the update that shows a message, or takes its place away if there is none."""
    return gr.update(value=value, visible=bool(value))


def quiet(text: str) -> str:
    return f'<p class="quiet">{escape_html(text)}</p>'


def problem(text: object) -> str:
    """Return a message that says what is wrong and what to do."""
    return f'<p class="problem" role="alert">{escape_html(truncate(str(text), 1_000))}</p>'


def bars(rows: Iterable[tuple[str, float, str]], rest: str = "") -> str:
    """Return a list of bars: what each stands for, its length between 0 and 1, and its value; `rest` is a last line."""
    items = "".join(
        f'<li style="--p: {100 * length:.1f}%"><span dir="auto">{escape_html(truncate(name, 300))}</span>'
        f"<b>{escape_html(value)}</b></li>"
        for name, length, value in rows
    )
    last = f'<li class="rest">{escape_html(rest)}</li>' if rest else ""
    return f"<ul>{items}{last}</ul>"


def table(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, caption: str = "", text_columns: Iterable[int] = (0,)
) -> str:
    """Return a table of plain cells that scrolls on its own where it is too wide; `text_columns` are set flush left."""
    left = set(text_columns)

    def cell(index: int, value: str, tag: str) -> str:
        kind = ' class="text"' if index in left else ""
        scope = ' scope="col"' if tag == "th" else ""
        return f'<{tag}{kind}{scope}><span dir="auto">{escape_html(value)}</span></{tag}>'

    head = "".join(cell(index, name, "th") for index, name in enumerate(header))
    body = "".join(f"<tr>{''.join(cell(index, value, 'td') for index, value in enumerate(row))}</tr>" for row in rows)
    title = f"<caption>{escape_html(caption)}</caption>" if caption else ""
    name = escape_html(caption or " ".join(header))
    return (
        f'<div class="scroll" role="region" aria-label="{name}" tabindex="0">'
        f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
