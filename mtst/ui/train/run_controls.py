"""What a visitor does with a run: start it, stop it, resume it, delete it. Only who holds its token can."""

import gradio as gr

from mtst.errors import MtstError, RunError
from mtst.runs.history import History
from mtst.ui.components import run_status
from mtst.ui.components.html import problem
from mtst.ui.components.live_plot import hide_figure
from mtst.ui.services.model_data import MODEL
from mtst.ui.services.run_controls import delete_run, resume_run
from mtst.ui.services.services import Services
from mtst.ui.train import run_view
from mtst.ui.train.form import dataset
from mtst.ui.train.form.hyperparameters import explain_setting_error


def start_run(
    services: Services, visitor: str, *form: object, start: str = "", model: str | None = None, **values: object
) -> tuple[object, ...]:
    """Put a visitor's run in the queue; return its token, its state, and what hides the run before.

    `form` and `values` are those of `dataset.submit`; `model` is the token of a model that was brought along, to go on
    with if `start` says so.

    Raises:
        gr.Error: it cannot be trained.
    """
    try:
        begin = model if start == MODEL else None
        token = dataset.submit(services, visitor, "train", *form, start=begin, **values)
    except MtstError as error:
        raise gr.Error(explain_setting_error(str(error)), title="Cannot train yet", print_exception=False) from error
    return token, run_status.status(History()), gr.Button(visible=False), hide_figure(), hide_figure()


def resume_clicked(services: Services, visitor: str, token: str | None) -> tuple[object, ...]:
    """Let the run wait for its turn again; return the updates that hide its button and the model of its first part.

    Raises:
        gr.Error: it cannot go on.
    """
    resume_run(services, visitor, token)
    return gr.Button(visible=False), hide_figure(), hide_figure()


def stop_clicked(services: Services, token: str | None) -> tuple[gr.Button, object]:
    """Ask the run to end within a step."""
    try:
        services.runs.stop(token or "")
        return gr.Button(interactive=False), gr.skip()
    except RunError as error:
        return gr.Button(visible=False), problem(error)


def delete_clicked(services: Services, token: str | None) -> tuple[object, ...]:
    """Remove the run with its data and its model now; return the token of no run and what the page shows of none.

    Raises:
        gr.Error: it cannot be removed.
    """
    delete_run(services, token)
    return (
        None,
        hide_figure(),
        hide_figure(),
        hide_figure(),
        *run_view.none("your run, its data and its model are deleted"),
    )
