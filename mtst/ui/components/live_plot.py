"""A Plotly figure that is updated in place: zoom, legend and hover survive while data streams in.

`gr.Plot` mounts a new plot for every value. Here the value is the figure itself, as a dict: Gradio sends only what
changed, and the browser calls `Plotly.react`. Colours written as `var(--name)` are read from the page, light or dark.
On a narrow screen `layout.meta["narrow"]` replaces parts of the layout and of every trace.

A click on a point that has a number (`customdata`) is a `select` event with that `index`, a lasso one with a list of
them; `layout.meta["explore"]` makes a figure one to move in, with a lasso. `show_marker` draws one more
trace and sends nothing else. For a heat map, `layout.meta["pairs"]` holds a name for each row, from which the browser
composes the hover text: one text for each cell would be most of the figure.
"""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from mtst.ui.components.templates import render, static_text

if TYPE_CHECKING:
    import plotly.graph_objects as go

DRAW_JS = static_text("plot_tools.js") + static_text("live_plot.js")


def live_plot(*, description: str, height: int = 340, **kwargs: Any) -> gr.HTML:
    """Return a hidden component for a figure; `description` is its label for screen readers.

    This is a function and not a subclass of `gr.HTML` because Gradio writes a stub file beside every subclass.
    """
    frame = render("components/live_plot", name=description, height=height)
    return gr.HTML(
        html_template=str(frame), js_on_load=DRAW_JS, apply_default_css=False, visible=False, mark={}, **kwargs
    )


def show_figure(figure: "go.Figure", *, keep_marker: bool = False) -> dict[str, Any]:
    """Return the update that shows a figure; what `show_marker` has drawn goes, unless it is to be kept."""
    marker: dict[str, Any] = {} if keep_marker else {"mark": {}}
    return gr.update(value=figure.to_plotly_json(), visible=True, **marker)


def show_marker(trace: dict[str, Any]) -> dict[str, Any]:
    """Return the update that draws a trace above the figure, in place of the last such trace."""
    return gr.update(mark=trace)


def hide_figure() -> dict[str, Any]:
    """Return the update that hides a figure."""
    return gr.update(visible=False)


def head() -> str:
    """Return what the page's head needs: a function that fetches the plotly.js of the Python package from the app."""
    script = _plotly_js()
    gr.set_static_paths(script)
    fetch = static_text("fetch_plotly.js").replace("'ADDRESS'", json.dumps(f"gradio_api/file={script.as_posix()}"))
    return f"<script>{fetch}</script>"


def _plotly_js() -> Path:
    spec = find_spec("plotly")  # not imported: it takes a second
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("plotly is not installed: pip install -r requirements.txt")
    return Path(spec.origin).parent / "package_data" / "plotly.min.js"
