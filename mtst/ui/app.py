"""The page: its tabs in order, and how it is served."""

import os
import sys
from collections.abc import Collection, MutableMapping
from html import escape
from typing import Any

import gradio as gr
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from mtst.errors import MtstError
from mtst.runs.settings import Settings
from mtst.ui.api.endpoints import name_endpoints
from mtst.ui.compare.tab import compare_tab
from mtst.ui.components.live_plot import head
from mtst.ui.components.theme import STYLE, theme
from mtst.ui.guide import guide_tab
from mtst.ui.map.tab import map_tab
from mtst.ui.predict.tab import predict_tab
from mtst.ui.scenarios.tab import scenarios_tab
from mtst.ui.server.browser_state import browser_tokens
from mtst.ui.server.gradio_patches import RelativeManifest, refuse_url_downloads
from mtst.ui.server.middleware import SecurityHeaders, log_to_stderr
from mtst.ui.server.request_limits import RequestLimits
from mtst.ui.services.services import Services
from mtst.ui.train.tab import train_tab

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # before gradio is imported: nothing phones home
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# A thread that waits for work spins briefly, then sleeps. With two cores and several processes, threads that spin for
# long halve the speed of training; threads that sleep at once cost it a third while nothing else is going on.
os.environ.setdefault("GOMP_SPINCOUNT", "5000")

HEADER = """<header class="top">
<svg viewBox="0 0 34 34" aria-hidden="true">
<rect x="3" y="23" width="28" height="7" rx="2.5" class="f"/>
<rect x="3" y="13.5" width="28" height="7" rx="2.5" class="m"/>
<rect x="3" y="4" width="12.5" height="7" rx="2.5" class="o"/>
<rect x="18.5" y="4" width="12.5" height="7" rx="2.5" class="o"/>
</svg>
<div><h1>mtst</h1><p>One encoder, several tasks: what should you freeze?</p></div>
<span class="encoder"><span>encoder</span> {encoder}</span>
</header>"""

# Gradio's tabs have no arrow keys, which a tab list needs, and begin at the first when a page is loaded again or opened
# once more. They still do where a page within a page is refused the storage. Sentences are compared when their tab is
# first seen: Gradio's own word of that comes with every page, whatever tab it opens at.
TABS = """() => {
  const stores = () => [sessionStorage, localStorage], kept = name => {
    try {
      if (name) stores().forEach(each => each.setItem('mtst-tab', name));
      return stores().map(each => each.getItem('mtst-tab')).find(each => each);
    } catch { return null; }
  };
  const title = tab => tab.textContent.trim();
  let compared = false;
  const seen = name => {
    kept(name);
    if (name !== 'Compare' || compared) return;
    compared = true;
    document.querySelector('#compare-go').click();
  };
  const named = [...document.querySelectorAll('#tabs [role=tab], #tabs .overflow-dropdown button')];
  const start = named.find(tab => title(tab) === kept());
  start?.click();
  seen(start ? title(start) : 'Compare');
  const list = document.querySelector('#tabs [role=tablist]'), watched = {subtree: true, childList: true};
  new MutationObserver(() => {
    const open = list.querySelector('[aria-selected=true]');
    open && seen(title(open));
  }).observe(list, {...watched, attributeFilter: ['aria-selected']});
  document.addEventListener('keydown', event => {
    const tab = event.target.closest?.('[role=tab]'), step = {ArrowRight: 1, ArrowLeft: -1, Home: 0, End: 0}[event.key];
    if (!tab || step === undefined) return;
    const all = [...tab.closest('[role=tablist]').querySelectorAll('[role=tab]:not([aria-disabled=true])')];
    const next = step ? all.at((all.indexOf(tab) + step) % all.length) : all.at(event.key === 'Home' ? 0 : -1);
    next.focus(); next.click(); event.preventDefault();
  });
}"""


def build_app(services: Services) -> gr.Blocks:
    """Return the page, ready to be launched."""
    with gr.Blocks(title="mtst", analytics_enabled=False, delete_cache=(600, 3600)) as demo:
        tokens = browser_tokens()
        gr.HTML(HEADER.format(encoder=escape(services.settings.encoder)), apply_default_css=False)
        with gr.Tabs(selected="compare", elem_id="tabs") as tabs:
            with gr.Tab("Compare", id="compare", elem_id="tab-compare"):
                sentences = compare_tab(services, tokens.run)
            with gr.Tab("Map", id="map", elem_id="tab-map"):
                map_tab(services, demo, sentences, tokens.run)
            with gr.Tab("Predict", id="predict", elem_id="tab-predict") as each:
                model = predict_tab(services, each, tokens)
            with gr.Tab("Train", id="train", elem_id="tab-train"):
                steps = train_tab(services, demo, tokens, tabs, model)
            with gr.Tab("Scenarios", id="scenarios", elem_id="tab-scenarios") as each:
                scenarios_tab(services, each, steps, tokens.comparison)
            with gr.Tab("Guide", id="guide", elem_id="tab-guide"):
                guide_tab()
        name_endpoints(services, demo)
    return demo


def launch(demo: gr.Blocks, services: Services) -> None:
    """Serve the page from now on; host and port come from Gradio's own environment variables."""
    refuse_url_downloads()
    demo.queue(max_size=64, api_open=False)
    demo.launch(
        theme=theme(),
        head=f"<style>{STYLE.read_text(encoding='utf-8')}</style>{head()}",  # `css=` would rewrite the selectors
        js=TABS,
        max_threads=200,
        max_file_size=int(max(services.settings.max_upload_mb, services.settings.max_model_mb) * 1e6),
        footer_links=["api"],
        mcp_server=services.settings.mcp,
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        app_kwargs=server_options(
            services, [each.api_name for each in demo.fns.values() if each.api_visibility == "public"]
        ),
        prevent_thread_lock=True,
    )


def main() -> None:
    """Start the app with the settings of the environment."""
    try:
        log_to_stderr()
        settings = Settings.from_environment()
        services = Services(settings)
        services.warm_up()  # while the page is built, which waits now and then
        demo = build_app(services)
        launch(demo, services)
        demo.block_thread()
    except MtstError as error:
        sys.exit(f"mtst: {error}")


def server_options(services: Services, endpoints: Collection[str]) -> MutableMapping[str, Any]:
    """Return what Gradio's server is made with: the headers, the guard, and `/health` for a host that watches the app.

    `endpoints` are the names of what programs may call.
    """
    settings = services.settings
    limits = {
        "most_bytes": int(2e6 * settings.max_upload_mb + 1e6),  # a table within JSON takes more than by itself
        "most_uploaded": int(1e6 * max(settings.max_upload_mb, settings.max_model_mb) + 1e6),
    }

    async def health(_request: Request) -> JSONResponse:
        runs = services.runs
        return JSONResponse(
            {"ok": True, "waiting": runs.waiting, "training": runs.training} | services.meter.read()._asdict()
        )

    middleware = [
        Middleware(SecurityHeaders),
        Middleware(RelativeManifest),
        Middleware(RequestLimits, names=endpoints, **limits),
    ]
    return {"middleware": middleware, "routes": [Route("/health", health)]}
