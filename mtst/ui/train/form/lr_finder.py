"""Find learning rates: rates that rise from step to step, the loss drawn beside them, and what they suggest."""

from collections.abc import AsyncIterator
from functools import partial

import gradio as gr

from mtst.errors import MtstError, RunError
from mtst.runs.history import History
from mtst.runs.queue import QueuePosition
from mtst.text import escape_html
from mtst.training.events import RatesFound, RateTried
from mtst.training.scenarios import find_scenario
from mtst.ui.components.html import html, problem, quiet
from mtst.ui.components.live_plot import hide_figure, live_plot, show_figure
from mtst.ui.components.run_status import queue_status
from mtst.ui.plots import training as training_plots
from mtst.ui.server.visitors import visitor_id
from mtst.ui.services.services import Services
from mtst.ui.train.form import dataset
from mtst.ui.train.form.hyperparameters import HyperparameterFields, explain_setting_error

SILENT = {"api_visibility": "private", "show_progress": "hidden"}
DESCRIPTION = "The loss against the learning rate, which rises from step to step; a line marks the suggested rate"
WHY = "Tries rates from very small to far too large on a copy of the model, and suggests one that is safe."
Shown = tuple[dict, dict, dict, dict, dict]


def begin(services: Services, visitor: str, *form: object, **values: object) -> tuple[str | None, dict]:
    """Put a visitor's search in the queue; return its token and a message. `form` is that of `dataset.submit`."""
    try:
        token = dataset.submit(services, visitor, "rates", *form, **values)
    except MtstError as error:
        return None, gr.update(value=problem(explain_setting_error(str(error))), visible=True)
    return token, gr.update(value=quiet("Waiting for its turn."), visible=True)


async def follow(services: Services, token: str | None) -> AsyncIterator[Shown]:
    """Yield what the page shows of a search whenever it has grown, until it is over."""
    try:
        folder = services.runs.folder(token)
    except RunError:
        yield tuple(gr.skip() for _ in range(5))
        return
    async for history in services.runs.follow(folder.path.name):
        yield show(history, folder.path.name, services.runs.place(folder.path.name))


def show(history: History, token: str, place: QueuePosition | None = None) -> Shown:
    """Return the curve, the message, and the buttons that begin, stop and take what was found."""
    over = history.is_over
    plot = show_figure(training_plots.rate_curve(history, token[:6])) if history.tried else hide_figure()
    return (
        plot,
        gr.update(value=_message(history, place), visible=True),
        gr.update(visible=over),
        gr.update(visible=not over, interactive=True),
        gr.update(visible=history.has_found_rates and bool(history.tried)),
    )


def _message(history: History, place: QueuePosition | None) -> str:
    if history.has_failed:
        return problem(explain_setting_error(history.failed.message))
    if history.has_found_rates and not history.tried:
        return quiet("Stopped before a rate was tried.")
    if history.has_found_rates:
        suggested = _rates(history, history.rates_found)
        rates = " and ".join(f"<b>{rate:.2g}</b> for the {part}" for part, rate in suggested)
        title = escape_html(find_scenario(history.started.scenario, history.started.tasks).title)
        why = "A tenth of the rates at which the loss was lowest."
        return f'<p class="report">Suggested for “{title}”: {rates}.</p>{quiet(why)}'
    if history.tried:
        rates = " and ".join(f"{rate:.2g} for the {part}" for part, rate in _rates(history, history.tried[-1]))
        return quiet(f"Step {history.tried[-1].step}: {rates}.")
    if place:
        return quiet(f"{': '.join(queue_status(place))}.")
    return quiet("Getting ready.")


def _rates(history: History, rates: RateTried | RatesFound) -> list[tuple[str, float]]:
    """Return the rates of the parts that are open."""
    heads, layers = (
        any(group.open and (group.task is not None) == side for group in history.groups) for side in (True, False)
    )
    return [("heads", rates.head_rate)] * heads + [("encoder", rates.encoder_rate)] * layers


def stop(services: Services, token: str | None) -> gr.Button:
    """Ask the search to end with what it has found so far."""
    try:
        services.runs.stop(token or "")
    except RunError:
        return gr.Button(visible=False)
    return gr.Button(interactive=False)


def use(services: Services, token: str | None) -> tuple[object, object]:
    """Return the rates that were found, as one would type them."""
    try:
        history = services.runs.folder(token).history()
    except RunError:
        return gr.skip(), gr.skip()
    rates = dict(_rates(history, history.rates_found)) if history.has_found_rates else {}
    return tuple(f"{rates[part]:.2g}" if part in rates else gr.skip() for part in ("heads", "encoder"))


def rate_finder(
    services: Services,
    demo: gr.Blocks,
    data: list[gr.components.Component],
    config: dict[str, gr.components.Component],
    settings: HyperparameterFields,
    token: gr.BrowserState,
) -> None:
    """Build the search into the column that is open.

    `data` and `config` are what `begin` takes; `token` keeps that of the visitor's search.
    """
    with gr.Row():
        find = gr.Button("Find learning rates", size="sm", elem_id="train-rates")
        halt = gr.Button("Stop looking", size="sm", visible=False, variant="stop", elem_id="train-rates-stop")
        take = gr.Button("Use these", size="sm", visible=False, elem_id="train-rates-use")
    message = html(quiet(WHY), elem_id="train-rates-found")
    plot = live_plot(height=240, description=DESCRIPTION, elem_id="train-rates-curve")
    watched = {
        "fn": partial(follow, services), "inputs": token, "outputs": [plot, message, find, halt, take],
        "concurrency_limit": None, **SILENT,
    }  # fmt: skip

    def start(request: gr.Request, *values: object, **config: object) -> tuple[str | None, dict]:
        return begin(services, visitor_id(request), *values, **config)

    find.click(start, data, [token, message], inputs_kwargs=config, **SILENT).success(**watched)
    demo.load(**watched)
    halt.click(partial(stop, services), token, halt, queue=False, **SILENT)
    take.click(partial(use, services), token, [settings.fields["head_rate"], settings.fields["encoder_rate"]], **SILENT)
