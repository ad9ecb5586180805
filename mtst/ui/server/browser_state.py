"""The tokens of a visitor's runs, which only their browser stores."""

from dataclasses import dataclass

import gradio as gr


@dataclass(frozen=True)
class BrowserTokens:
    """The tokens of what a visitor has made last, and the list of their runs.

    `run` is the run that the page shows, `runs` the last ones with their names, and `demo` those of the demo.
    """

    run: gr.BrowserState
    runs: gr.BrowserState
    search: gr.BrowserState
    comparison: gr.BrowserState
    model: gr.BrowserState
    demo: gr.BrowserState


def browser_tokens() -> BrowserTokens:
    """Build the components, outside of all tabs: what is in a tab is not read before the tab is opened."""
    # A fixed secret lets a restarted app read the values; it protects nothing.
    names = ("mtst-run", "mtst-runs", "mtst-rates", "mtst-comparison", "mtst-model", "mtst-demo")
    return BrowserTokens(*(gr.BrowserState(None, storage_key=name, secret="mtst") for name in names))  # noqa: S106
