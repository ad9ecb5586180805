"""A model that a visitor brings along, as a ZIP made here: taken in, used in Predict, trained further in Train."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import gradio as gr

from mtst.data.tasks import Task, reusable_tasks
from mtst.errors import EncoderError, MtstError, RunError
from mtst.model.upload.validation import check_working
from mtst.text import inline_text
from mtst.ui.components.html import problem, quiet, show_message
from mtst.ui.components.upload import claim_upload
from mtst.ui.services import run_controls
from mtst.ui.services.model_data import ENCODER, MODEL, STARTER, UPLOADED
from mtst.ui.services.services import Services

NAMED = 4  # tasks that are called by their names
RULE = (
    "A head goes on if its task has the same name and labels. Rows that the model has learned from before flatter it "
    "where they are held out now; with the same file and the same seed they are not."
)
ABOUT = (
    "A ZIP from Prepare the download or python -m mtst export, up to {:g} MB. It is kept {:g} hours, for you alone. "
    "Weights and words are taken out of it, never code."
)


def upload_model(services: Services, visitor: str, path: str | None, before: str | None) -> tuple[object, ...]:
    """Take a ZIP in; return its token, what `describe` says of it, the choice of model, and an empty place for files.

    The model that was brought before goes.
    """
    if not path:
        return gr.skip(), gr.skip(), gr.skip(), gr.skip(), gr.skip()
    token = None
    try:
        file = claim_upload(path)
        try:
            token = services.runs.keep(file, visitor)
        finally:
            if file != Path(path):  # it was moved, so it is theirs
                file.unlink(missing_ok=True)
        check_working(services.run_model(token))
    except MtstError as error:
        _forget(services, token)
        known = not isinstance(error, EncoderError)  # which would tell of a place on this machine
        message = error if known else "This is not a model that mtst has made: its encoder cannot be loaded."
        return gr.skip(), show_message(problem(message)), gr.skip(), gr.skip(), None
    _forget(services, before)
    return token, *describe(services, token), UPLOADED, None


def describe(services: Services, token: str | None) -> tuple[dict, gr.Button]:
    """Return a word about the model that was brought, and the button that deletes it."""
    if not token:
        return show_message(""), gr.Button(visible=False)
    try:
        source, found = services.runs.folder(token).job().source, services.run_tasks(token)
    except MtstError as error:
        return show_message(problem(error)), gr.Button(visible=False)
    tasks = "; ".join(f"{inline_text(task.name, 40)} ({len(task.labels)} labels)" for task in found[:NAMED])
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    text = f"{inline_text(source, 60)}: {tasks}{more}. The Train tab can go on from it."
    return show_message(quiet(text)), gr.Button(visible=True)


def delete(services: Services, token: str | None) -> tuple[object, ...]:
    """Remove the model; return no token, no word about it, and the starter heads as the choice of model.

    Raises:
        gr.Error: it cannot be removed.
    """
    run_controls.delete_run(services, token)
    return None, *describe(services, None), STARTER


def offer(token: str | None) -> dict:
    """Return the update that lets training start from the model, if there is one."""
    return gr.update(visible=True) if token else gr.update(visible=False, value=ENCODER)


def heads(services: Services, token: str | None, start: str, tasks: Sequence[Task] | None) -> dict:
    """Say which heads of the model go on with these tasks, and which are new."""
    if start != MODEL or not token or not tasks:
        return show_message("")
    try:
        kept = reusable_tasks(services.run_tasks(token), tasks)
    except MtstError as error:
        return show_message(problem(error))
    named = [
        f"{inline_text(task.name, 40)} {'goes on' if old else 'is new'}" for task, old in zip(tasks, kept, strict=True)
    ]
    return show_message(quiet(f"Heads: {'; '.join(named)}. {RULE}"))


def _forget(services: Services, token: str | None) -> None:
    if token:
        with suppress(RunError):  # its time has come already
            services.delete(token)
