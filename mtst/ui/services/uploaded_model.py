"""A model that a visitor uploads as a ZIP made here: stored, used in Predict, trained further in Train."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from mtst.data.tasks import Task, reusable_tasks
from mtst.errors import EncoderError, MtstError, RunError
from mtst.model.upload.loading import base_encoder
from mtst.text import inline_text
from mtst.ui.components.events import UNCHANGED, Update
from mtst.ui.components.html import problem, quiet, show_message
from mtst.ui.components.upload import claim_upload
from mtst.ui.services import run_controls
from mtst.ui.services.model_data import ENCODER, MODEL, STARTER, UPLOADED
from mtst.ui.services.services import Services

MAX_NAMED_TASKS = 4
REUSE_RULE = (
    "A head goes on if its task has the same name and labels. Rows that the model has learned from before flatter it "
    "where they are held out now; with the same file and the same seed they are not."
)
ABOUT = (
    "A ZIP from Download in the Train tab or from python -m mtst export, up to {:g} MB. It is kept {:g} hours, for you "
    "alone. Only weights and vocabulary are read, never code."
)


@dataclass(frozen=True)
class UploadedModelView:
    """What the page shows of an uploaded model.

    Attributes:
        token: that the browser keeps; it stands for the model as the token of a run stands for a run.
        message: what the model is, or why it was not stored.
        delete: the button that deletes it.
        model: the choice of the model that predicts.
        archive: the field that takes the ZIP.
    """

    token: Any = UNCHANGED
    message: Any = UNCHANGED
    delete: Any = UNCHANGED
    model: Any = UNCHANGED
    archive: Any = UNCHANGED


@dataclass(frozen=True, eq=False)
class UploadedModelPanel:
    """The components of an `UploadedModelView`."""

    token: gr.BrowserState
    message: gr.HTML
    delete: gr.Button
    model: gr.Radio
    archive: gr.File


def upload_model(
    services: Services, visitor: str, path: str | None, previous: str | None
) -> Iterator[UploadedModelView]:
    """Store the model of a ZIP in place of the previous one; yield the progress of what is downloaded for it, then it.

    Args:
        services: those of the app.
        visitor: for the limits of a visitor.
        path: the ZIP.
        previous: the token of the model that the visitor uploaded before.
    """
    if not path:
        yield UploadedModelView()
        return
    token = None
    try:
        file = claim_upload(path)
        try:
            yield from _fetch_base(services, visitor, file)
            with services.executors.model_uploads:
                token = services.runs.store_model(file, visitor)
                services.run_model(token)  # loaded before the first prediction
        finally:
            if file != Path(path):  # it was moved here, so nobody else removes it
                file.unlink(missing_ok=True)
    except MtstError as error:
        _delete_quietly(services, token)
        # An EncoderError may quote a path of this machine.
        hidden = isinstance(error, EncoderError)
        message = "This is not a model that mtst has made: its encoder cannot be loaded." if hidden else str(error)
        yield UploadedModelView(message=show_message(problem(message)), archive=None)
        return
    _delete_quietly(services, previous)
    view = describe(services, token)
    yield UploadedModelView(token, view.message, view.delete, UPLOADED, None)


def _fetch_base(services: Services, visitor: str, file: Path) -> Iterator[UploadedModelView]:
    """Download the encoder that a model is built on, unless it is here, as if the visitor had chosen it."""
    settings = services.settings
    name = base_encoder(file, settings.base_encoders, max_megabytes=settings.max_model_mb)
    try:
        for done, total in services.encoder_pool.fetch(name, visitor):
            size = f"{done / 1e6:,.0f} of {total / 1e6:,.0f} MB" if total else "asking the Hub"
            text = f"Downloading its encoder {inline_text(name, 60)}: {size}."
            yield UploadedModelView(message=show_message(quiet(text)))
    except EncoderError as error:
        if name == settings.encoder:  # which may be a folder
            raise
        raise RunError(
            f"This model was trained from the encoder {name!r}, which is not on this server. {error}"
        ) from error


def describe(services: Services, token: str | None) -> UploadedModelView:
    """Return a line about the uploaded model, if there is one, and the button that deletes it."""
    if not token:
        return UploadedModelView(message=show_message(""), delete=gr.Button(visible=False))
    try:
        source, tasks = services.runs.folder(token).job().source, services.run_tasks(token)
    except MtstError as error:
        return UploadedModelView(message=show_message(problem(error)), delete=gr.Button(visible=False))
    named = "; ".join(f"{inline_text(task.name, 40)} ({len(task.labels)} labels)" for task in tasks[:MAX_NAMED_TASKS])
    more = f" and {len(tasks) - MAX_NAMED_TASKS} more" if len(tasks) > MAX_NAMED_TASKS else ""
    text = f"{inline_text(source, 60)}: {named}{more}. The Train tab can go on from it."
    return UploadedModelView(message=show_message(quiet(text)), delete=gr.Button(visible=True))


def delete(services: Services, token: str | None) -> UploadedModelView:
    """Delete the uploaded model and choose the starter heads.

    Raises:
        gr.Error: it cannot be deleted.
    """
    run_controls.delete_run(services, token)
    view = describe(services, None)
    return UploadedModelView(None, view.message, view.delete, STARTER)


def offer(token: str | None) -> Update:
    """Return the update that lets training start from the uploaded model, if there is one."""
    return gr.update(visible=True) if token else gr.update(visible=False, value=ENCODER)


def describe_heads(services: Services, token: str | None, start: str, tasks: Sequence[Task] | None) -> Update:
    """Return a line that says which heads of the uploaded model go on with these tasks, and which are new."""
    if start != MODEL or not token or not tasks:
        return show_message("")
    try:
        reused = reusable_tasks(services.run_tasks(token), tasks)
    except MtstError as error:
        return show_message(problem(error))
    heads = [
        f"{inline_text(task.name, 40)} {'goes on' if old else 'is new'}"
        for task, old in zip(tasks, reused, strict=True)
    ]
    return show_message(quiet(f"Heads: {'; '.join(heads)}. {REUSE_RULE}"))


def _delete_quietly(services: Services, token: str | None) -> None:
    if token:
        with suppress(RunError):  # it has expired
            services.delete(token)
