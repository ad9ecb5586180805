"""What a visitor does with a run: start it, stop it, resume it, delete it. Its token gives the right to."""

from dataclasses import dataclass

import gradio as gr

from mtst.errors import MtstError, RunError
from mtst.runs.history import History
from mtst.ui.components import run_status
from mtst.ui.components.events import UNCHANGED, Update
from mtst.ui.components.html import problem
from mtst.ui.services import run_controls as shared
from mtst.ui.services.model_data import MODEL
from mtst.ui.services.services import Services
from mtst.ui.train.form import dataset
from mtst.ui.train.form.form_values import TrainingForm
from mtst.ui.train.form.hyperparameters import explain_setting_error
from mtst.ui.train.form.restored_run import stored_run, train_again


@dataclass(frozen=True)
class RunControls:
    """The token and the status of a run, its buttons but that to stop it, its result, and the download of its model."""

    run: str | None = UNCHANGED
    status: str = UNCHANGED
    begin: Update = UNCHANGED
    resume: Update = UNCHANGED
    confirmation: Update = UNCHANGED
    result_card: Update = UNCHANGED
    download: Update = UNCHANGED
    packing: Update = UNCHANGED


@dataclass(frozen=True)
class RunStopped:
    """The button of a run that will stop, or a message why it cannot."""

    stop: Update
    status: str = UNCHANGED


def start_run(
    services: Services,
    visitor: str,
    form: TrainingForm,
    start: str,
    model: str | None,
    page: str = "",
    shown: str | None = None,
) -> RunControls:
    """Put a run in the queue; it begins with the uploaded model that has the token `model` if `start` says so.

    Where no file is chosen, it is one on the rows of the run with the token `shown`.

    A second press on the same `page` within a moment starts nothing.

    Raises:
        gr.Error: it cannot be trained.
    """
    if page and not services.presses.is_first(page):
        return RunControls()
    try:
        if stored := stored_run(services, form.data.draft, shown):
            token = train_again(services, visitor, stored, form.config)
        else:
            token = dataset.submit(services, visitor, form, "train", start=model if start == MODEL else None)
    except MtstError as error:
        services.presses.forget(page)
        raise gr.Error(explain_setting_error(str(error)), title="Cannot train yet", print_exception=False) from error
    return RunControls(
        run=token,
        status=run_status.status(History()),
        begin=_hide(),
        result_card=_hide(),
        download=_hide(),
        packing=_hide(),
    )


def resume_run(services: Services, visitor: str, token: str | None) -> RunControls:
    """Put a run that was stopped or broke off back in the queue.

    Raises:
        gr.Error: it cannot be resumed.
    """
    shared.resume_run(services, visitor, token)
    return RunControls(resume=_hide(), result_card=_hide(), download=_hide(), packing=_hide())


def stop_run(services: Services, token: str | None) -> RunStopped:
    """Ask a run to stop after its current step."""
    try:
        services.runs.stop(token or "")
    except RunError as error:
        return RunStopped(_hide(), problem(error))
    return RunStopped(gr.update(interactive=False))


def delete_run(services: Services, token: str | None) -> RunControls:
    """Remove a run with its data and its model.

    Raises:
        gr.Error: it cannot be removed.
    """
    shared.delete_run(services, token)
    return RunControls(run=None, confirmation=_hide(), download=_hide(), packing=_hide())


def _hide() -> Update:
    return gr.update(visible=False)
