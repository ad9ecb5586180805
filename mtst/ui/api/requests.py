"""The job of a training request: its table comes as an uploaded file or as text."""

from functools import partial
from pathlib import Path

import gradio as gr

from mtst.data.columns import guess_columns
from mtst.data.dataset import Dataset
from mtst.data.labels.choice import guess_flags
from mtst.data.limits import Limits
from mtst.data.oddities.treatments import NOTHING, Treatments
from mtst.data.readers.options import DETECT
from mtst.data.table import read_table
from mtst.encoders.texts import has_lone_surrogate
from mtst.errors import DataError
from mtst.runs.job import Job
from mtst.training.config import TrainConfig
from mtst.ui.components.upload import claim_upload, is_uploaded
from mtst.ui.server.temporary_files import write_file
from mtst.ui.services.services import Services
from mtst.ui.train.form import dataset
from mtst.ui.train.form.form_values import DataForm, ticks_of
from mtst.ui.train.form.upload_draft import UploadDraft


def job_from_request(
    services: Services,
    file: gr.FileData | None,
    content: str,
    text: str,
    labels: list[str] | None,
    config: TrainConfig,
    treatments: Treatments = NOTHING,
) -> tuple[Job, Dataset]:
    """Return the job for a table, and its data; columns that are not named are guessed.

    Raises:
        MtstError: the table cannot be read or used, or the config does not fit it.
    """
    limits = services.settings.limits
    path = _path(file, content, limits)
    read = partial(read_table, path, limits)
    table = read(DETECT)
    guessed, columns = guess_columns(table)
    if flags := guess_flags(table):
        columns = flags.replace_in(columns)
    form = DataForm(
        UploadDraft(read, table, limits),
        text or guessed,
        columns if labels is None else labels,
        treat=ticks_of(treatments),
    )
    data = form.dataset()
    return dataset.build_job(services, form, data.tasks, config), data


def _path(file: gr.FileData | None, content: str, limits: Limits) -> Path:
    """Return the path of the table that was uploaded or sent as text.

    Raises:
        DataError: there is no table or two, it is too large or was not uploaded here, has half of a character, or there
            is no room for it.
    """
    if (file is None) == (not content.strip()):
        raise DataError("Send either a file or, as text, a table.")
    if file is not None:
        if not is_uploaded(file.path):
            raise DataError("The file is not one that was uploaded here.")
        return claim_upload(file.path)
    if has_lone_surrogate(content):
        raise DataError("The table holds half of a character (a lone surrogate). Write it again.")
    sent = content.encode()
    if len(sent) > limits.bytes:
        raise DataError(f"The table is larger than {limits.megabytes:g} MB, the most that is read here.")
    return write_file("table.csv", sent)
