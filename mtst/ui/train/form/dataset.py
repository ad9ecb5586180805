"""The first steps of the Train tab: a file or the sample, its columns, and what was read, before anything runs."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import gradio as gr

from mtst.assets import ASSETS
from mtst.data.columns import guess_columns
from mtst.data.dataset import Dataset, similar_labels
from mtst.data.split import check_trainable
from mtst.data.table import read_table
from mtst.data.tasks import DEFAULT_TASKS, Task
from mtst.errors import MtstError
from mtst.runs.job import Job
from mtst.text import inline_text
from mtst.training.config import TrainConfig, split
from mtst.ui.components.html import problem, quiet, show_message
from mtst.ui.components.live_plot import hide_figure, show_figure
from mtst.ui.components.upload import claim_upload
from mtst.ui.plots import similarity as similarity_plots
from mtst.ui.services.services import Services
from mtst.ui.train.form.hyperparameters import config_of, for_tasks
from mtst.ui.train.form.scenario_picker import choices
from mtst.ui.train.form.upload_draft import ColumnChoice, UploadDraft, chosen
from mtst.ui.train.form.upload_report import report

NOTHING = quiet("Nothing chosen yet.")
ALIKE_SHOWN = 3
Chosen = tuple[UploadDraft | None, dict, dict, dict, dict]


def choose(services: Services, path: str | None, header: bool | None = None) -> Chosen:
    """Read a file and guess its columns.

    Return the draft, both dropdowns, the tick for a row of names, and a message if the file cannot be read.
    """
    blank = gr.update(choices=[], value=None), gr.update(choices=[], value=[]), gr.update(visible=False)
    if not path:
        return None, *blank, show_message("")
    services.runs.warm_up()  # whoever looks at a table may train next
    limits = services.settings.limits
    try:
        file = claim_upload(path)
        table = read_table(file, limits, header=header)
    except MtstError as error:
        return None, *blank, show_message(problem(error))
    if file.parent == ASSETS:  # so that the command shown later finds the sample too
        table = replace(table, name=f"{ASSETS.name}/{table.name}")
    text, labels = guess_columns(table)
    columns = [(inline_text(name), name) for name in table.columns]
    named = gr.update(value=table.header, visible=not table.format.startswith("JSON"))
    return (
        UploadDraft(file, table, limits),
        gr.update(choices=columns, value=text),
        gr.update(choices=columns, value=list(labels)),
        named,
        show_message(""),
    )


def choose_again(services: Services, draft: UploadDraft | None, header: bool) -> Chosen:
    """Read the same file once more, with or without names in its first row."""
    return choose(services, str(draft.path) if draft else None, header)


def choice(text: str | None, labels: Sequence[str], merge: bool, ticked: Sequence[Sequence[str]]) -> ColumnChoice:
    """Return the choice that a form stands for; what is ticked are lines of the file."""
    return ColumnChoice(text, tuple(labels), merge, frozenset(int(line) for lines in ticked for line in lines))


def describe(
    services: Services,
    draft: UploadDraft | None,
    text: str | None,
    labels: list[str],
    merge: bool,
    scenario: str | None,
    *ticked: list[str],
    encoder: str = "",
) -> tuple[object, ...]:
    """Return what the form shows of a choice.

    The report on the rows, the lengths of the texts, the tick that merges labels, the tasks, the scenarios for them,
    the buttons that need data (the row report, the check, the start), and the updates of `settings.for_tasks`.
    """
    wanted = choice(text, labels, merge, ticked)
    try:
        data = chosen(draft).dataset(wanted)
        upload = draft.upload(data, services.encoder_named(encoder))
    except MtstError as error:
        why = problem(error) if draft else NOTHING
        closed = gr.Button(visible=False), gr.Button(interactive=False), gr.Button(interactive=False)
        offer = choices(DEFAULT_TASKS, scenario)
        return why, hide_figure(), gr.update(visible=False), None, offer, *closed, *for_tasks(())
    said_first, ready = "", True
    try:
        check_trainable(data)
    except MtstError as error:
        said_first, ready = problem(error), False
    return (
        f"{said_first}{report(upload, *split(data, TrainConfig()))}",
        show_figure(similarity_plots.text_lengths(upload.tokens, upload.max_tokens)),
        _merge_tick(draft.dataset(replace(wanted, merge=False)) if merge else data),
        data.tasks,
        choices(data.tasks, scenario),
        gr.Button(visible=True),
        gr.Button(interactive=True),
        gr.Button(interactive=ready),
        *for_tasks(data.tasks),
    )


def _merge_tick(apart: Dataset) -> dict:
    """Offer to merge labels, if some of data in which none are merged differ in case and blanks only."""
    found = similar_labels(apart)
    groups = [group for groups in found.values() for group in groups]
    named = "; ".join(" + ".join(f"“{inline_text(label, 30)}”" for label in group) for group in groups[:ALIKE_SHOWN])
    more = f" and {len(groups) - ALIKE_SHOWN} more" if len(groups) > ALIKE_SHOWN else ""
    return gr.update(label=f"Merge labels that differ only in case or blanks: {named}{more}", visible=bool(groups))


def submit(
    services: Services,
    visitor: str,
    kind: Literal["train", "rates"],
    draft: UploadDraft | None,
    text: str | None,
    labels: list[str],
    merge: bool,
    tasks: tuple[Task, ...] | None,
    *ticked: list[str],
    start: str | None = None,
    encoder: str = "",
    **values: object,
) -> str:
    """Put what a visitor's form stands for in the queue, a run or a search for rates; return its token.

    `start` is the token of a model to go on with.

    Raises:
        MtstError: nothing is chosen, it cannot be used, or the visitor has had enough for now.
    """
    draft = chosen(draft)
    config = config_of(tasks or (), **values)
    asked, data = job(services, draft, choice(text, labels, merge, ticked), config, kind, encoder, start)
    return services.runs.submit(asked, data, visitor, start)


def comparing(job: Job, scenarios: tuple[str, ...], seeds: int, alone: str | None) -> Job:
    """Return a job that compares scenarios instead."""
    return replace(job, kind="compare", scenarios=scenarios, seeds=seeds, alone=alone)


def job(
    services: Services,
    draft: UploadDraft,
    wanted: ColumnChoice,
    config: TrainConfig,
    kind: Literal["train", "rates", "compare"],
    encoder: str = "",
    start: str | None = None,
) -> tuple[Job, Dataset]:
    """Return what a run of this choice is asked to do with an encoder, and its data.

    Raises:
        EncoderError: the encoder is not on this machine.
        DataError: the choice cannot be used.
        SettingsError: the config does not fit it.
    """
    from mtst.model.multitask import MultiTaskSentenceTransformer
    from mtst.training.planning import plan

    data = draft.dataset(wanted)
    if start:
        model = services.run_model(start).with_tasks(data.tasks)
    else:
        model = MultiTaskSentenceTransformer(services.encoder_named(encoder), data.tasks)
    plan(model, config)  # refuses what cannot be followed
    table = draft.table
    asked = Job(
        encoder=model.base if start else encoder or services.settings.encoder,
        config=config,
        kind=kind,
        source=table.name,
        text=wanted.text or "",
        header=table.header,
        merge=wanted.merge,
        leave_out=tuple(sorted(wanted.leave_out)),
        start=services.runs.folder(start).job().source if start else "",
    )
    return asked, data
