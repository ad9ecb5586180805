"""Build the page from its tabs, and serve it."""

import sys
from collections.abc import Collection
from typing import Any

import gradio as gr
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from mtst.encoders.turns import set_turns
from mtst.errors import MtstError
from mtst.runs.settings import Settings
from mtst.ui.api.endpoints import name_endpoints
from mtst.ui.compare.tab import compare_tab
from mtst.ui.components.events import SILENT
from mtst.ui.components.live_plot import head
from mtst.ui.components.templates import render, static_text
from mtst.ui.components.theme import STYLES, theme
from mtst.ui.guide import guide_tab
from mtst.ui.map.tab import map_tab
from mtst.ui.predict.tab import predict_tab
from mtst.ui.scenarios.tab import scenarios_tab
from mtst.ui.server.aborted_uploads import remove_aborted_uploads
from mtst.ui.server.browser_state import browser_tokens
from mtst.ui.server.compressed_page import CompressedPage
from mtst.ui.server.fairness.connections import bound_connections
from mtst.ui.server.fairness.fair_queue import share_queue
from mtst.ui.server.fairness.fair_shares import FairShares
from mtst.ui.server.fairness.listeners import Listeners
from mtst.ui.server.fairness.plain_sessions import use_plain_sessions
from mtst.ui.server.gradio_patches import RelativeManifest, public_endpoints, refuse_url_downloads, rest_between_events
from mtst.ui.server.input_checks import check_inputs_first
from mtst.ui.server.link_preview import PICTURE_ROUTE, LinkPreview
from mtst.ui.server.middleware import SecurityHeaders, log_to_stderr
from mtst.ui.server.open_routes import OpenRoutes
from mtst.ui.server.private_log import keep_log_private
from mtst.ui.server.process.memory import share_heaps
from mtst.ui.server.request_limits import RequestLimits
from mtst.ui.services.model_data import TRAINED
from mtst.ui.services.services import Services
from mtst.ui.start.tab import start_tab
from mtst.ui.train.tab import train_tab

SWITCH_SECONDS = 0.0005  # a tenth of Python's own: a request changes threads dozens of times, and each waits for that
EVENTS_AT_ONCE = 2  # of each kind, unless it says otherwise: one address has half of them
TABS_JS = static_text("tabs.js")


def build_app(services: Services) -> gr.Blocks:
    """Return the page, ready to be launched."""
    with gr.Blocks(title="mtst", analytics_enabled=False, delete_cache=(600, 3600)) as demo:
        tokens = browser_tokens()
        gr.HTML(render("header", encoder=services.settings.encoder), apply_default_css=False)
        with gr.Tabs(selected="start", elem_id="tabs") as tabs:
            with gr.Tab("Start", id="start", elem_id="tab-start"):
                start_tab(services, demo, tokens, tabs)
            with gr.Tab("Compare", id="compare", elem_id="tab-compare") as tab:
                sentences = compare_tab(services, tab, tokens.run)
            with gr.Tab("Map", id="map", elem_id="tab-map") as tab:
                map_tab(services, tab, sentences, tokens.run)
            with gr.Tab("Train", id="train", elem_id="tab-train"):
                steps, use = train_tab(services, demo, tokens, tabs)
            with gr.Tab("Scenarios", id="scenarios", elem_id="tab-scenarios") as tab:
                scenarios_tab(services, tab, steps, tokens, tabs)
            with gr.Tab("Predict", id="predict", elem_id="tab-predict") as tab:
                model = predict_tab(services, tab, tokens)
            with gr.Tab("Guide", id="guide", elem_id="tab-guide"):
                guide_tab()
        use.click(lambda: (gr.update(selected="predict"), TRAINED), None, [tabs, model], **SILENT)
        name_endpoints(services, demo)
    return demo


def launch(demo: gr.Blocks, services: Services) -> None:
    """Start the server; host and port come from Gradio's own environment variables."""
    sys.setswitchinterval(SWITCH_SECONDS)
    refuse_url_downloads()
    bound_connections()
    use_plain_sessions()
    remove_aborted_uploads()
    keep_log_private()
    check_inputs_first()
    if services.settings.mcp:
        from mtst.ui.server.mcp_patches import patch_mcp  # here, since it imports what only MCP needs

        patch_mcp()
    demo.queue(api_open=False, default_concurrency_limit=EVENTS_AT_ONCE)
    share_queue(demo)
    set_turns(services.turns.take_current)
    rest_between_events(demo)
    style = "".join(path.read_text(encoding="utf-8") for path in STYLES)
    demo.launch(
        theme=theme(),
        head=f"<style>{style}</style>{head()}",  # `css=` would rewrite the selectors
        js=TABS_JS,
        max_threads=200,
        max_file_size=int(max(services.settings.max_upload_mb, services.settings.max_model_mb) * 1e6),
        footer_links=["api"],
        mcp_server=services.settings.mcp,
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        app_kwargs=server_options(services, public_endpoints(demo)),
        prevent_thread_lock=True,
    )


def main() -> None:
    """Start the app with the settings of the environment."""
    try:
        log_to_stderr()
        share_heaps()
        services = Services(Settings.from_environment())
        services.warm_up()  # while the page is built, which waits now and then
        demo = build_app(services)
        launch(demo, services)
        try:
            demo.block_thread()
        finally:
            services.close()
    except MtstError as error:
        sys.exit(f"mtst: {error}")


def server_options(services: Services, endpoints: Collection[str]) -> dict[str, Any]:
    """Return the middleware and routes of the server: security headers, request limits, `/health` for monitoring.

    `endpoints` are the names of the events that programs may call.
    """
    settings = services.settings
    max_bytes = int(2e6 * settings.max_upload_mb + 1e6)  # a table takes more room as JSON
    max_upload_bytes = int(1e6 * max(settings.max_upload_mb, settings.max_model_mb) + 1e6)

    async def health(_request: Request) -> JSONResponse:
        runs = services.runs
        return JSONResponse(
            {"ok": True, "waiting": runs.waiting, "training": runs.running} | services.meter.read()._asdict()
        )

    middleware = [
        Middleware(SecurityHeaders),
        Middleware(FairShares),
        Middleware(OpenRoutes),
        Middleware(Listeners),
        Middleware(CompressedPage),
        Middleware(LinkPreview),
        Middleware(RelativeManifest),
        Middleware(RequestLimits, endpoints=endpoints, max_bytes=max_bytes, max_upload_bytes=max_upload_bytes),
    ]
    return {"middleware": middleware, "routes": [Route("/health", health), PICTURE_ROUTE]}
