"""A Plotly figure updated in place: zoom, legend and hover survive while data streams.

`gr.Plot` mounts a new plot for every value. Here the value is the figure itself, as a dict: gradio sends only what
changed and the browser calls `Plotly.react`. Colours written `var(--name)` are read from the page, light or dark. Where
there is little room, `layout.meta["narrow"]` may replace parts of the layout and of every trace.

A press on a point that has a number (`customdata`) is a `select` with that `index`. `marked` draws one more trace, and
sends nothing else. A heat map with `layout.meta["pairs"]`, a name a row, says both names of a cell: written out for
every cell, they would be most of the figure.
"""

from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr

from mtst.ui.components.templates import static_text

if TYPE_CHECKING:
    import plotly.graph_objects as go

PLOTLY_JS = Path(find_spec("plotly").origin).parent / "package_data" / "plotly.min.js"

DRAW = static_text("live_plot.js")
FRAME = '<div class="figure" role="img" aria-label="{name}" style="height: {height}px"></div>'


def live_plot(*, description: str, height: int = 340, **kwargs: object) -> gr.HTML:
    """Return a hidden place for a figure; `description` is its name for those who do not see it.

    A function and not a subclass of `gr.HTML`: gradio writes a stub file beside the source of every subclass.
    """
    frame = FRAME.format(name=escape(description), height=height)
    return gr.HTML(html_template=frame, js_on_load=DRAW, apply_default_css=False, visible=False, mark={}, **kwargs)


def show_figure(figure: "go.Figure") -> dict:
    """Return the update that shows a figure in its place."""
    return gr.update(value=figure.to_plotly_json(), mark={}, visible=True)


def show_marker(trace: dict) -> dict:
    """Return the update that draws a trace above the figure, in place of the last one."""
    return gr.update(mark=trace)


def hide_figure() -> dict:
    """Return the update that takes a figure away."""
    return gr.update(visible=False)


def head() -> str:
    """Return what the page's head needs: the plotly.js of the Python package, served by the app."""
    gr.set_static_paths(PLOTLY_JS)
    return f'<script src="gradio_api/file={PLOTLY_JS.as_posix()}" defer></script>'
