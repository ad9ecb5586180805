"""What to compare: the form, about how long it takes, and the job that it becomes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import gradio as gr
from markupsafe import Markup

from mtst.assets import SMALL_SAMPLE
from mtst.comparison.estimate import expected_comparison_seconds
from mtst.comparison.events import check_comparison
from mtst.comparison.recommendation import recommend
from mtst.comparison.rows import plan_comparison
from mtst.data.dataset import Dataset
from mtst.data.tasks import Task
from mtst.errors import MtstError, RunError
from mtst.model.layer_groups import HEAD
from mtst.runs.history import History
from mtst.runs.job import Job
from mtst.training.config import TrainConfig
from mtst.training.scenarios import comparable_scenarios
from mtst.ui.components import run_status
from mtst.ui.components.events import Update
from mtst.ui.components.html import quiet
from mtst.ui.services.services import Services
from mtst.ui.train.form import chosen_file, dataset
from mtst.ui.train.form.form_values import DataForm
from mtst.ui.train.form.hyperparameters import explain_setting_error
from mtst.ui.train.form.scenario_picker import untrained_model

ONE_HEAD = f"freeze-{HEAD}"  # stands for freezing the head of each task in turn
ALONE_SCENARIO = "train-all"  # the scenario in which each task is also trained alone
START = "Compare scenarios"


@dataclass(frozen=True, eq=False)
class ComparisonForm:
    """What to compare, and how.

    `scenarios` are those ticked; `alone`: each task is trained alone too; `race`: what cannot win is stopped early.
    """

    data: DataForm
    scenarios: Sequence[str]
    seeds: int
    alone: bool
    race: bool = True


@dataclass(frozen=True)
class ComparisonStart:
    """A new comparison: its token and status, without the button that started it."""

    token: str
    status: str
    begin: Update


@dataclass(frozen=True)
class ComparisonPlan:
    """What will be compared, in words, and the button that starts it, with about how long it takes."""

    source: Markup
    begin: Update


def expand_scenarios(ticked: Sequence[str], tasks: Sequence[Task]) -> tuple[str, ...]:
    """Return the keys of the scenarios that are ticked; `ONE_HEAD` stands for one of each task."""
    return tuple(
        key for key in comparable_scenarios(tasks) if key in ticked or (key.startswith(ONE_HEAD) and ONE_HEAD in ticked)
    )


def as_comparison(
    job: Job, data: Dataset, scenarios: Sequence[str], seeds: int, *, alone: bool, race: bool = True
) -> Job:
    """Return the job of comparing scenarios on the data of a job; with `alone` each task is also trained alone.

    With `race`, scenarios that cannot win any more are stopped early.

    Raises:
        SettingsError: there is nothing to compare, or no such scenario.
    """
    alone_scenario = ALONE_SCENARIO if alone else None
    check_comparison(scenarios, seeds, data.tasks, alone_scenario)
    return replace(job, kind="compare", scenarios=tuple(scenarios), seeds=seeds, alone=alone_scenario, race=race)


def describe_plan(services: Services, form: ComparisonForm) -> ComparisonPlan:
    """Return what will be compared and what to expect of it, and about how long it takes on this server."""
    if form.data.draft is None:
        what = "Nothing is chosen in the Train tab, so the sample of 600 sentences is compared"
        source, data_form = quiet(f"{what}, with {form.data.encoder}."), sample_form(services, form.data.encoder)
    else:
        name = form.data.draft.table.name
        source = quiet(f"{name}, with the columns and the encoder of the Train tab ({form.data.encoder}).")
        data_form = form.data
    try:
        data = data_form.dataset()
        if form.data.draft is not None:
            source += dataset.expectation_of(data)
        scenarios = expand_scenarios(form.scenarios, data.tasks)
        seconds = _expected_seconds(services, data_form, data, scenarios, form)
    except MtstError:  # said in the Train tab, and when the comparison is started
        return ComparisonPlan(source, gr.update(value=START))
    count = f"{len(scenarios)} scenario{'' if len(scenarios) == 1 else 's'}"
    return ComparisonPlan(source, gr.update(value=f"Compare {count} · about {run_status.rough_duration(seconds)}"))


def _expected_seconds(
    services: Services, rows: DataForm, data: Dataset, scenarios: Sequence[str], form: ComparisonForm
) -> float:
    """Return about how long a comparison takes.

    Raises:
        MtstError: it cannot be started.
    """
    encoder = services.encoder_named(rows.encoder, rows.chosen_prompt)
    alone = ALONE_SCENARIO if form.alone else None
    config = TrainConfig()
    attempts = plan_comparison(data, config, scenarios, form.seeds, alone=alone)
    model = untrained_model(services, data.tasks, rows.encoder)
    pace = services.row_seconds(data.texts, encoder)
    return expected_comparison_seconds(model, data, config, attempts, pace, race=form.race)


def start_comparison(services: Services, visitor: str, form: ComparisonForm) -> ComparisonStart:
    """Put a comparison in the queue; without a file it compares on the sample.

    Raises:
        gr.Error: it cannot be started.
    """
    try:
        rows = form.data if form.data.draft else sample_form(services, form.data.encoder)
        data = rows.dataset()
        job = dataset.build_job(services, rows, data.tasks, TrainConfig(), kind="compare")
        scenarios = expand_scenarios(form.scenarios, data.tasks)
        job = as_comparison(job, data, scenarios, form.seeds, alone=form.alone, race=form.race)
        token = services.runs.submit(job, data, visitor)
    except MtstError as error:
        raise gr.Error(explain_setting_error(str(error)), title="Cannot compare yet", print_exception=False) from error
    return ComparisonStart(token, run_status.status(History()), gr.update(visible=False))


def sample_form(services: Services, encoder: str = "") -> DataForm:
    """Return the rows that are compared on where no file is chosen."""
    file = chosen_file.read_file(services, str(SMALL_SAMPLE))
    return DataForm(file.draft, file.text["value"], file.labels["value"], encoder=encoder)


def train_winner(services: Services, visitor: str, token: str | None) -> str:
    """Queue a run with the recommended scenario on the rows that were compared; return its token.

    Raises:
        gr.Error: it cannot be started.
    """
    try:
        folder = services.runs.folder(token)
        job, advice = folder.job(), recommend(folder.history().comparison)
        if advice is None:
            raise RunError("No scenario is recommended yet. Wait until two have ended.")
        config = replace(job.config, scenario=advice.chosen.scenario)
        job = replace(job, kind="train", config=config, scenarios=(), seeds=1, alone=None)
        return services.runs.submit(job, folder.data(), visitor)
    except MtstError as error:
        raise gr.Error(str(error), title="Cannot train now", print_exception=False) from error
