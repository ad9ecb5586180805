"""Find learning rates: rates that rise from step to step, the loss plotted against them, and a suggestion."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr
from markupsafe import Markup

from mtst.errors import MtstError, RunError
from mtst.runs.history import History
from mtst.runs.queue import QueuePosition
from mtst.training.events import RatesFound, RateTried
from mtst.training.scenarios import find_scenario
from mtst.ui.components.events import SILENT, UNCHANGED, Event, Outputs, Update
from mtst.ui.components.html import html, problem, quiet
from mtst.ui.components.live_plot import hide_figure, live_plot, show_figure
from mtst.ui.components.run_status import queue_status
from mtst.ui.components.templates import render
from mtst.ui.plots import training as training_plots
from mtst.ui.server.visitors import visitor_id
from mtst.ui.services.services import Services
from mtst.ui.train.form import dataset
from mtst.ui.train.form.form_values import TrainingForm
from mtst.ui.train.form.hyperparameters import HyperparameterFields, explain_setting_error

DESCRIPTION = "The loss against the learning rate, which rises from step to step; a line marks the suggested rate"
ABOUT = "Tries rising rates on a copy of the model, and suggests a safe one."


@dataclass(frozen=True)
class SearchView:
    """A search for learning rates: the loss curve, a message, and the buttons that start, stop and use it."""

    plot: Update = UNCHANGED
    message: Update = UNCHANGED
    find: Update = UNCHANGED
    stop: Update = UNCHANGED
    use: Update = UNCHANGED


@dataclass(frozen=True)
class SearchPanel:
    """The components of the search."""

    plot: gr.HTML
    message: gr.HTML
    find: gr.Button
    stop: gr.Button
    use: gr.Button


def start_search(services: Services, visitor: str, form: TrainingForm) -> tuple[str | None, Update]:
    """Put a search in the queue; return its token and a message."""
    try:
        token = dataset.submit(services, visitor, form, "rates")
    except MtstError as error:
        return None, gr.update(value=problem(explain_setting_error(str(error))), visible=True)
    return token, gr.update(value=quiet("Waiting for its turn."), visible=True)


async def follow_search(services: Services, token: str | None) -> AsyncIterator[SearchView]:
    """Yield the view of a search whenever its history grows, until it is over."""
    try:
        name = services.runs.folder(token).path.name
    except RunError:
        yield SearchView()
        return
    async for history in services.runs.follow(name):
        yield show_search(history, name, services.runs.position(name))


def show_search(history: History, token: str, position: QueuePosition | None = None) -> SearchView:
    """Return the view of a search."""
    over = history.is_over
    return SearchView(
        plot=show_figure(training_plots.rate_curve(history, token[:6])) if history.tried else hide_figure(),
        message=gr.update(value=_message(history, position), visible=True),
        find=gr.update(visible=over),
        stop=gr.update(visible=not over, interactive=True),
        use=gr.update(visible=history.has_found_rates and bool(history.tried)),
    )


def _message(history: History, position: QueuePosition | None) -> Markup:
    if history.has_failed:
        return problem(explain_setting_error(history.failed.message))
    if history.has_found_rates and not history.tried:
        return quiet("Stopped before a rate was tried.")
    if history.has_found_rates:
        scenario = find_scenario(history.started.scenario, history.started.tasks)
        rates = [(f"{rate:.2g}", part) for part, rate in _open_rates(history, history.rates_found).items()]
        return render("train/suggested_rates", scenario=scenario.title, rates=rates)
    if history.tried:
        last = history.tried[-1]
        parts = " and ".join(f"{rate:.2g} for the {part}" for part, rate in _open_rates(history, last).items())
        return quiet(f"Step {last.step}: {parts}.")
    if position:
        return quiet(f"{': '.join(queue_status(position))}.")
    return quiet("Getting ready.")


def _open_rates(history: History, rates: RateTried | RatesFound) -> dict[str, float]:
    """Return the rates of the parts that are open: heads, encoder or both."""
    open_parts = {"encoder" if group.task is None else "heads" for group in history.groups if group.open}
    values = {"heads": rates.head_rate, "encoder": rates.encoder_rate}
    return {part: rate for part, rate in values.items() if part in open_parts}


def stop_search(services: Services, token: str | None) -> Update:
    """Ask the search to stop with what it has found so far; return the update of its button."""
    try:
        services.runs.stop(token or "")
    except RunError:
        return gr.update(visible=False)
    return gr.update(interactive=False)


def use_rates(services: Services, token: str | None) -> tuple[str | Update, str | Update]:
    """Return the suggested rates of the heads and the encoder as text for their fields."""
    try:
        history = services.runs.folder(token).history()
    except RunError:
        return gr.skip(), gr.skip()
    rates = _open_rates(history, history.rates_found) if history.has_found_rates else {}
    head, encoder = (f"{rates[part]:.2g}" if part in rates else gr.skip() for part in ("heads", "encoder"))
    return head, encoder


def rate_finder(
    services: Services,
    demo: gr.Blocks,
    inputs: dict[str, Any],
    hyperparameters: HyperparameterFields,
    token: gr.BrowserState,
) -> None:
    """Build the search into the column that is open.

    Args:
        services: those of the app.
        demo: the page.
        inputs: the components of the form, by the names that `TrainingForm.from_inputs` knows.
        hyperparameters: the fields that the suggested rates are written into.
        token: keeps the token of the visitor's search.
    """
    with gr.Row():
        find = gr.Button("Find learning rates", size="sm", elem_id="train-rates")
        stop = gr.Button("Stop", size="sm", visible=False, variant="stop", elem_id="train-rates-stop")
        use = gr.Button("Use these", size="sm", visible=False, elem_id="train-rates-use")
    message = html(quiet(ABOUT), elem_id="train-rates-found")
    plot = live_plot(height=240, description=DESCRIPTION, elem_id="train-rates-curve")
    outputs = Outputs(SearchView, SearchPanel(plot, message, find, stop, use))
    follow: Event = {
        "fn": outputs.by_name(partial(follow_search, services)),
        "inputs": token,
        "outputs": outputs.components,
        "concurrency_limit": None,
        **SILENT,
    }

    def start(request: gr.Request, **values: Any) -> tuple[str | None, Update]:
        return start_search(services, visitor_id(request), TrainingForm.from_inputs(values))

    find.click(start, None, [token, message], inputs_kwargs=inputs, **SILENT).success(**follow)
    demo.load(**follow)
    stop.click(partial(stop_search, services), token, stop, queue=False, **SILENT)
    rates = [hyperparameters.fields["head_rate"], hyperparameters.fields["encoder_rate"]]
    use.click(partial(use_rates, services), token, rates, **SILENT)
