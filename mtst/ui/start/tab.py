"""The Start tab: what the page is for, a demo in one press, and the way to one's own file."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import gradio as gr

from mtst.ui.components.clickable import clickable_html
from mtst.ui.components.events import SILENT, Outputs
from mtst.ui.components.html import html
from mtst.ui.components.live_plot import live_plot
from mtst.ui.components.templates import render, static_text
from mtst.ui.server.browser_state import BrowserTokens
from mtst.ui.server.visitors import visitor_id
from mtst.ui.services.services import Services
from mtst.ui.start import demo
from mtst.ui.start.demo import DemoView

DEMO_ROWS = 600
PLOT_DESCRIPTION = "Macro-F1 on held-out rows against seconds of training, of heads only and of top 2 blocks"
OPEN_RUN = static_text("open_run.js")


@dataclass(frozen=True)
class DemoPanel:
    """The components of the demo, by the fields of `DemoView`."""

    demo: gr.BrowserState
    panel: gr.Column
    progress: gr.HTML
    plot: gr.HTML
    result: gr.HTML
    after: gr.Row
    begin: gr.Button


def start_tab(services: Services, page: gr.Blocks, tokens: BrowserTokens, tabs: gr.Tabs) -> None:
    """Build the tab."""
    html(render("start/hero", rows=DEMO_ROWS), elem_id="start-hero")
    with gr.Row(elem_id="start-actions"):
        begin = gr.Button(
            "Run the one-minute demo", variant="primary", size="lg", min_width=220, scale=0, elem_id="start-demo"
        )
        own = gr.Button("Use my own CSV", size="lg", min_width=180, scale=0, elem_id="start-own")
    with gr.Column(visible=False, elem_classes="card", elem_id="start-panel") as column:
        progress = html(elem_id="start-progress")
        result = html(elem_id="start-result")
        with gr.Row(visible=False) as after:
            try_own = gr.Button("Use my own CSV", variant="primary", min_width=160, scale=0)
            see = gr.Button("See every layer of this run", min_width=250, scale=0, elem_id="start-see")
        plot = live_plot(height=320, description=PLOT_DESCRIPTION, elem_id="start-plot")
    pictures = clickable_html(
        str(render("start/pictures", hours=f"{services.settings.run_ttl_hours:g}")), elem_id="start-pictures"
    )
    panel = DemoPanel(tokens.demo, column, progress, plot, result, after, begin)
    view = Outputs(DemoView, panel)
    follow = view.following(partial(demo.follow_demo, services), tokens.demo)

    def start(request: gr.Request) -> DemoView:
        return demo.start_demo(services, visitor_id(request))

    begin.click(view.by_name(start), None, view.components, trigger_mode="once", **SILENT).success(**follow)
    page.load(**follow)
    gr.on([own.click, try_own.click], lambda: gr.update(selected="train"), None, tabs, **SILENT)
    pictures.select(_open_tab, None, tabs, **SILENT)
    see.click(partial(take_run, services), [tokens.demo, tokens.run], [tokens.run, tabs], **SILENT).then(
        None, None, None, js=OPEN_RUN
    )


def _open_tab(event: gr.EventData) -> dict[str, object]:
    return gr.update(selected=event.key)


def take_run(services: Services, runs: Sequence[str] | None, own: str | None) -> tuple[object, object]:
    """Make the demo's second run the one that the Train tab shows, unless that has a run of the visitor's own."""
    if not runs or demo.is_own_run(services, own):
        gr.Info("The Train tab shows a run of your own. Delete it there to see this one.", title="Your run stays")
        return gr.skip(), gr.update(selected="train")
    return runs[-1], gr.update(selected="train")
