"""What the browser keeps of a visitor: the tokens of their runs."""

from dataclasses import dataclass

import gradio as gr


@dataclass(frozen=True)
class BrowserTokens:
    """The token of the last run, of the last search for rates, of the last comparison, and of a model brought along."""

    run: gr.BrowserState
    search: gr.BrowserState
    comparison: gr.BrowserState
    model: gr.BrowserState


def browser_tokens() -> BrowserTokens:
    """Build them; not inside a tab, because the browser does not read what is in a tab before it is opened."""
    # The secret keeps the key stable from one start to the next, and hides nothing.
    names = ("mtst-run", "mtst-rates", "mtst-comparison", "mtst-model")
    return BrowserTokens(*(gr.BrowserState(None, storage_key=name, secret="mtst") for name in names))  # noqa: S106
