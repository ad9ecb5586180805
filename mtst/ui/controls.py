"""What a visitor does with a run: start it, stop it, resume it, delete it. Only who holds its token can."""

import gradio as gr

from mtst.errors import MtstError, RunError
from mtst.history import History
from mtst.ui import dataset, run, watch
from mtst.ui.evidence import MODEL
from mtst.ui.parts.live_plot import hidden
from mtst.ui.parts.pieces import problem
from mtst.ui.services import Services
from mtst.ui.settings import in_words


def start(
    services: Services, who: str, *form: object, start: str = "", model: str | None = None, **values: object
) -> tuple[object, ...]:
    """Put a visitor's run in the queue; return its token, its state, and what hides the run before.

    `form` and `values` are those of `dataset.submit`; `model` is the token of a model that was brought along, to go on
    with if `start` says so.

    Raises:
        gr.Error: it cannot be trained.
    """
    try:
        begin = model if start == MODEL else None
        token = dataset.submit(services, who, "train", *form, start=begin, **values)
    except MtstError as error:
        raise gr.Error(in_words(str(error)), title="Cannot train yet", print_exception=False) from error
    return token, watch.status(History()), gr.Button(visible=False), hidden(), hidden()


def resume(services: Services, who: str, token: str | None) -> tuple[object, ...]:
    """Let the run wait for its turn again; return the updates that hide its button and the model of its first part.

    Raises:
        gr.Error: it cannot go on.
    """
    go_on(services, who, token)
    return gr.Button(visible=False), hidden(), hidden()


def go_on(services: Services, who: str, token: str | None) -> None:
    """Let what broke off, or was stopped, wait for its turn again.

    Raises:
        gr.Error: it cannot go on.
    """
    try:
        services.runs.resume(token or "", who)
    except RunError as error:
        raise gr.Error(str(error), title="Cannot resume", print_exception=False) from error


def stop(services: Services, token: str | None) -> tuple[gr.Button, object]:
    """Ask the run to end within a step."""
    try:
        services.runs.stop(token or "")
        return gr.Button(interactive=False), gr.skip()
    except RunError as error:
        return gr.Button(visible=False), problem(error)


def delete(services: Services, token: str | None) -> tuple[object, ...]:
    """Remove the run with its data and its model now; return the token of no run and what the page shows of none.

    Raises:
        gr.Error: it cannot be removed.
    """
    remove(services, token)
    return None, hidden(), hidden(), hidden(), *run.none("your run, its data and its model are deleted")


def remove(services: Services, token: str | None) -> None:
    """Remove what a token stands for now.

    Raises:
        gr.Error: it cannot be removed.
    """
    try:
        services.delete(token)
    except RunError as error:
        raise gr.Error(str(error), title="Not deleted", print_exception=False) from error
