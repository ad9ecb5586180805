"""The file that a visitor chooses: read, read again in another way, and its columns guessed."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import gradio as gr

from mtst.assets import ASSETS
from mtst.data.columns import guess_columns
from mtst.data.labels.choice import guess_flags, guess_separator, may_hold_several, sampled_cells
from mtst.data.readers.options import DETECT, ReadOptions
from mtst.data.table import Table, read_hub_table, read_table
from mtst.errors import DataError, MtstError
from mtst.text import inline_text
from mtst.ui.components.events import UNCHANGED, Update
from mtst.ui.components.html import problem, show_message
from mtst.ui.components.upload import claim_upload
from mtst.ui.services.services import Services
from mtst.ui.train.form.file_reading import changed_options, hide_reading, show_reading
from mtst.ui.train.form.upload_draft import UploadDraft


@dataclass(frozen=True)
class FileView:
    """A file as it was read: its columns with those that were guessed, how it was read, and why it cannot be."""

    draft: UploadDraft | None
    text: Update
    labels: Update
    several: Update
    unread: Update
    reading: Update = UNCHANGED
    header_line: Update = UNCHANGED
    encoding: Update = UNCHANGED
    delimiter: Update = UNCHANGED
    sheet: Update = UNCHANGED
    suggestion: Update = field(default_factory=lambda: show_message(""))


def read_file(services: Services, path: str | None, options: ReadOptions = DETECT) -> FileView:
    """Read a file and guess its columns; `options` says what a visitor knows of it."""
    nothing = gr.update(choices=[], value=[])
    no_columns = gr.update(choices=[], value=None), nothing, gr.update(choices=[], value=[], visible=False)
    if not path:
        return FileView(None, *no_columns, show_message(""), **vars(hide_reading()))
    services.runs.warm_up()  # who looks at a table may train next
    try:
        read = partial(_read_upload, services, claim_upload(path))
        return _show_draft(_read_draft(services, read, options))
    except MtstError as error:
        return FileView(None, *no_columns, show_message(problem(error)), **vars(hide_reading()))


def read_dataset(services: Services, draft: UploadDraft | None, typed: str) -> FileView:
    """Read a dataset of the Hub and guess its columns; if it cannot be read, the file that was chosen stays."""
    try:
        if not services.settings.hub_datasets:
            raise DataError("This server reads no datasets of the Hub. Download it, and choose the file.")
        read = partial(_read_hub, services, typed.strip())
        return _show_draft(_read_draft(services, read, DETECT))
    except MtstError as error:
        return FileView(draft, UNCHANGED, UNCHANGED, UNCHANGED, show_message(problem(error)))


def reread_file(services: Services, draft: UploadDraft | None, **changed: str | int | None) -> FileView:
    """Read the same file again with one of its options changed; if it cannot be read so, it stays as it was."""
    if draft is None:
        return read_file(services, None)
    try:
        options = changed_options(draft.options, **changed)
        return _show_draft(_read_draft(services, draft.read, options))
    except MtstError as error:
        shown = vars(show_reading(draft.table))
        return FileView(draft, UNCHANGED, UNCHANGED, UNCHANGED, show_message(problem(error)), **shown)


def _read_draft(services: Services, read: Callable[[ReadOptions], Table], options: ReadOptions) -> UploadDraft:
    """Read a file or dataset.

    Raises:
        DataError: it cannot be read.
    """
    return UploadDraft(read, read(options), services.settings.limits, options)


def _read_upload(services: Services, file: Path, options: ReadOptions) -> Table:
    table = read_table(file, services.settings.limits, options)
    if file.parent == ASSETS:  # so that the command line that the page shows finds the sample too
        return replace(table, name=f"{ASSETS.name}/{table.name}")
    return table


def _read_hub(services: Services, name: str, options: ReadOptions) -> Table:
    return read_hub_table(name, services.settings.limits, options)


def _show_draft(draft: UploadDraft) -> FileView:
    """Return what the page shows of a file, with its columns guessed."""
    table = draft.table
    text, labels = guess_columns(table)
    columns = [(inline_text(name), name) for name in table.columns]
    flags = guess_flags(table)
    if flags:
        labels = flags.replace_in(labels)
    together = [(f"{len(flags.columns)} columns of 0 and 1 as one task", str(flags))] if flags else []
    several = [name for name in table.columns if name != text and may_hold_several(sampled_cells(table, name))]
    return FileView(
        draft,
        text=gr.update(choices=columns, value=text),
        labels=gr.update(choices=[*together, *columns], value=list(labels)),
        several=gr.update(
            choices=[(inline_text(name), name) for name in several],
            value=[name for name in several if guess_separator(table.column(name)) is not None],
            visible=bool(several),
        ),
        unread=show_message(""),
        **vars(show_reading(draft.table)),
    )
