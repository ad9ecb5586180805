"""The first steps of the Train tab: a file or the sample, its columns, what was read of it, and the job it becomes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import gradio as gr
from markupsafe import Markup

from mtst.analysis.token_oddities import find_unknown_tokens
from mtst.comparison.estimate import Workload
from mtst.comparison.known_results import describe_expectation, expect_for
from mtst.data.dataset import Dataset, similar_labels
from mtst.data.readers.notes import Treatment
from mtst.data.split import check_trainable
from mtst.data.tasks import DEFAULT_TASKS, Task
from mtst.encoders.info import encoder_info
from mtst.errors import MtstError
from mtst.runs.job import Job
from mtst.text import inline_text
from mtst.training.budget import REFERENCE_ROWS
from mtst.training.config import TrainConfig, split
from mtst.ui.components.events import Update
from mtst.ui.components.html import problem, quiet, show_message
from mtst.ui.components.live_plot import hide_figure, show_figure
from mtst.ui.components.oddities import oddity_list
from mtst.ui.plots import similarity as similarity_plots
from mtst.ui.services.encoder_suggestion import advise_encoder, suggested_encoder
from mtst.ui.services.services import Services
from mtst.ui.train.form.form_values import DataForm, TrainingForm, treatment_checkboxes
from mtst.ui.train.form.hyperparameters import config_of, weight_updates
from mtst.ui.train.form.restored_run import StoredRun, describe_run, stored_run
from mtst.ui.train.form.scenario_picker import scenario_cards
from mtst.ui.train.form.upload_report import upload_report

NO_FILE = quiet("No data yet. Upload a file, or take a sample.")
SIMILAR_SHOWN = 3


@dataclass(frozen=True)
class DataView:
    """The chosen rows: the report, the scenarios for their tasks, the weights of the tasks, and what can be done."""

    rows: Markup
    suggested: str | None
    suggest: Update
    expectation: Update
    lengths: Update
    merge: Update
    treat: Update
    tasks: tuple[Task, ...] | None
    train_rows: int | None
    scenario: Update
    pictures: str
    more: Update
    save: Update
    check: Update
    begin: Update
    weights: tuple[Update, ...]
    weights_title: Update
    learn_weights: Update


def describe_data(services: Services, form: DataForm, scenario: str | None, run: str | None = None) -> DataView:
    """Return what the page shows of the chosen rows; `scenario` is kept if their tasks have it.

    Without a file these are the rows of the `run` with that token, if there is one.
    """
    if stored := stored_run(services, form.draft, run):
        return _describe_stored(services, stored, scenario)
    try:
        draft, data = form.file, form.dataset()
        encoder = services.encoder_named(form.encoder, form.chosen_prompt)
        report, unknown = draft.row_report(data, encoder), find_unknown_tokens(data.texts, encoder, data.lines)
    except MtstError as error:
        return _no_data(
            services, oddity_list(form.draft.table.decisions) + problem(error) if form.draft else NO_FILE, scenario
        )
    warning, trainable = Markup(), True
    try:
        check_trainable(data)
    except MtstError as error:
        warning, trainable = problem(error), False
    unmerged = draft.dataset(replace(form.columns, merge=False)) if form.merge else data
    suggested = suggested_encoder(services, unknown)
    unknown = unknown if suggested else advise_encoder(services, unknown)
    several_tasks = gr.update(visible=len(data.tasks) > 1)
    rows = split(data, TrainConfig())
    work = Workload(len(rows.train), len(rows.validation), services.row_seconds(data.texts, encoder))
    return DataView(
        rows=warning + oddity_list((*data.oddities, *unknown)) + upload_report(report, *rows),
        suggested=suggested.value if suggested else None,
        suggest=_suggestion_button(suggested),
        expectation=show_message(expectation_of(data)),
        lengths=show_figure(similarity_plots.text_lengths(report.tokens, report.max_tokens)),
        merge=_merge_checkbox(unmerged),
        treat=treatment_checkboxes(draft.oddities(form.columns), form.treat),
        tasks=data.tasks,
        train_rows=len(rows.train),
        **vars(scenario_cards(services, data.tasks, scenario, work, form.encoder)),
        save=gr.update(visible=True),
        check=gr.update(interactive=True),
        begin=gr.update(interactive=trainable),
        weights=weight_updates(data.tasks),
        weights_title=several_tasks,
        learn_weights=several_tasks,
    )


def _describe_stored(services: Services, run: StoredRun, scenario: str | None) -> DataView:
    """Return the view of the rows of a run, whose file is not here any more."""
    job, data = run.job, run.data
    try:
        encoder, rows = services.encoder_named(job.encoder, job.prompt), split(data, TrainConfig())
        work = Workload(len(rows.train), len(rows.validation), services.row_seconds(data.texts, encoder))
    except MtstError as error:
        return _no_data(services, problem(error), scenario)
    several_tasks = gr.update(visible=len(data.tasks) > 1)
    return replace(
        _no_data(services, describe_run(job, data.tasks, len(data)), scenario),
        tasks=data.tasks,
        train_rows=len(rows.train),
        **vars(scenario_cards(services, data.tasks, scenario, work, job.encoder)),
        begin=gr.update(interactive=True),
        weights=weight_updates(data.tasks),
        weights_title=several_tasks,
        learn_weights=several_tasks,
    )


def _suggestion_button(suggested: Treatment | None) -> Update:
    """Return the update of the button that takes the suggested encoder."""
    if suggested is None:
        return gr.update(visible=False)
    info = encoder_info(suggested.value)
    download = "" if info.is_local else f" (download {info.megabytes:,.0f} MB)"
    return gr.update(value=f"{suggested.label}: {info.name}{download}", visible=True)


def _no_data(services: Services, why: Markup, scenario: str | None) -> DataView:
    """Return the view without rows: no step that needs them is open."""
    hidden, disabled = gr.update(visible=False), gr.update(interactive=False)
    return DataView(
        rows=why,
        suggested=None,
        suggest=hidden,
        expectation=show_message(""),
        lengths=hide_figure(),
        merge=hidden,
        treat=hidden,
        tasks=None,
        train_rows=None,
        **vars(scenario_cards(services, DEFAULT_TASKS, scenario)),
        save=hidden,
        check=disabled,
        begin=disabled,
        weights=weight_updates(()),
        weights_title=hidden,
        learn_weights=hidden,
    )


def expectation_of(data: Dataset) -> Markup:
    """Return what to expect of the scenarios by results on public data; nothing if too little is known."""
    expected = expect_for(data.tasks, data.labelled_rows)
    return quiet(describe_expectation(expected)) if expected else Markup()


def _merge_checkbox(unmerged: Dataset) -> Update:
    """Offer to merge labels, if some differ only in case and blanks."""
    groups = [group for of_task in similar_labels(unmerged).values() for group in of_task]
    names = "; ".join(" + ".join(f"“{inline_text(label, 30)}”" for label in group) for group in groups[:SIMILAR_SHOWN])
    more = f" and {len(groups) - SIMILAR_SHOWN} more" if len(groups) > SIMILAR_SHOWN else ""
    return gr.update(label=f"Merge labels that differ only in case or blanks: {names}{more}", visible=bool(groups))


def submit(
    services: Services,
    visitor: str,
    form: TrainingForm,
    kind: Literal["train", "rates"],
    start: str | None = None,
) -> str:
    """Put a run or a search for learning rates in the queue; return its token.

    `start` is the token of a model to train further.

    Raises:
        MtstError: nothing is chosen, it cannot be used, or the visitor has reached a limit.
    """
    data = form.data.dataset()
    config = config_of(data.tasks, form.config)
    job = build_job(services, form.data, data.tasks, config, kind=kind, start=start)
    return services.runs.submit(job, data, visitor, start)


def build_job(
    services: Services,
    form: DataForm,
    tasks: Sequence[Task],
    config: TrainConfig,
    *,
    kind: Literal["train", "rates", "compare"] = "train",
    start: str | None = None,
) -> Job:
    """Return the job of a run on the chosen rows, which have these tasks.

    Raises:
        EncoderError: the encoder is not on this machine.
        SettingsError: the config does not fit the model.
        RunError: there is no model `start`.
    """
    from mtst.model.multitask import MultiTaskSentenceTransformer
    from mtst.training.planning import plan

    if start:
        model, prompt = services.run_model(start).with_tasks(tasks), None
        encoder, source = model.base, services.runs.folder(start).job().source
    else:
        chosen, prompt = services.encoder_named(form.encoder, form.chosen_prompt), form.chosen_prompt
        model = MultiTaskSentenceTransformer(chosen, tasks)
        encoder, source = form.encoder or services.settings.encoder, ""
        if chosen is services.encoder_named(form.encoder):
            prompt = None
    plan(model, config, REFERENCE_ROWS)  # checks the config
    table, columns = form.file.table, form.columns
    return Job(
        encoder=encoder,
        config=config,
        kind=kind,
        source=table.name,
        text=columns.text or "",
        header=form.file.options.header is not False,
        header_line=form.file.options.header_line,
        merge=columns.merge,
        leave_out=tuple(sorted(columns.leave_out)),
        encoding=form.file.options.encoding,
        delimiter=form.file.options.delimiter,
        sheet=form.file.options.sheet,
        treatments=columns.treatments,
        start=source,
        label_choice=form.file.label_choice(columns),
        prompt=prompt,
    )
