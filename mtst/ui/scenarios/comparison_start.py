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
from mtst.text import quantity
from mtst.training.config import TrainConfig
from mtst.training.scenarios import comparable_scenarios
from mtst.ui.components import run_status
from mtst.ui.components.events import Update
from mtst.ui.components.html import quiet
from mtst.ui.services.services import Services
from mtst.ui.train.form import chosen_file, dataset
from mtst.ui.train.form.form_values import DataForm
from mtst.ui.train.form.hyperparameters import explain_setting_error
from mtst.ui.train.form.restored_run import StoredRun, source_name, stored_run
from mtst.ui.train.form.scenario_picker import untrained_model

ONE_HEAD = f"freeze-{HEAD}"  # stands for freezing the head of each task in turn
ALONE_SCENARIO = "train-all"  # the scenario in which each task is also trained alone
START = "Compare scenarios"


@dataclass(frozen=True, eq=False)
class ComparisonForm:
    """What to compare, and how.

    `scenarios` are those ticked; `alone`: each task is trained alone too; `race`: unlikely winners are stopped early.
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

    With `race`, scenarios that are unlikely to win are stopped early.

    Raises:
        SettingsError: there is nothing to compare, or no such scenario.
    """
    alone_scenario = ALONE_SCENARIO if alone else None
    check_comparison(scenarios, seeds, data.tasks, alone_scenario)
    return replace(job, kind="compare", scenarios=tuple(scenarios), seeds=seeds, alone=alone_scenario, race=race)


@dataclass(frozen=True)
class ComparedRows:
    """The rows that are compared on, and what they are in words; those of a stored run have the job of that."""

    form: DataForm
    stored: StoredRun | None
    words: str

    @property
    def encoder(self) -> tuple[str, str | None]:
        """The name of the encoder, and the prompt that was chosen for it."""
        return (
            (self.stored.job.encoder, self.stored.job.prompt)
            if self.stored
            else (self.form.encoder, self.form.chosen_prompt)
        )

    def dataset(self) -> Dataset:
        """Return the rows.

        Raises:
            DataError: they cannot be used.
        """
        return self.stored.data if self.stored else self.form.dataset()

    def job(self, services: Services, data: Dataset) -> Job:
        """Return a job on the rows, which becomes one of comparing by `as_comparison`.

        Raises:
            EncoderError: the encoder is not on this machine.
        """
        if self.stored:
            return replace(self.stored.job, config=TrainConfig())
        return dataset.build_job(services, self.form, data.tasks, TrainConfig(), kind="compare")


def compared_rows(services: Services, form: DataForm, run: str | None) -> ComparedRows:
    """Return the rows that the Train tab has: of a file, or of the run that it shows; else those of the sample."""
    encoder = form.encoder or services.settings.encoder
    if form.draft:
        return ComparedRows(
            form, None, f"{form.draft.table.name}, with the columns and the encoder of the Train tab ({encoder})."
        )
    if stored := stored_run(services, form.draft, run):
        name, encoder = source_name(stored.job), stored.job.encoder
        return ComparedRows(
            form, stored, f"{name}, the {len(stored.data):,} rows of the run in the Train tab, with {encoder}."
        )
    words = f"No file is chosen in the Train tab, so the sample of 600 sentences is compared, with {encoder}."
    return ComparedRows(sample_form(services, form.encoder), None, words)


def describe_plan(services: Services, form: ComparisonForm, run: str | None = None) -> ComparisonPlan:
    """Return what will be compared and what to expect of it, and about how long it takes on this server.

    Without a file these are the rows of the `run` with that token, if there is one.
    """
    rows = compared_rows(services, form.data, run)
    source = quiet(rows.words)
    try:
        data = rows.dataset()
        if form.data.draft is not None:
            source += dataset.expectation_of(data)
        scenarios = expand_scenarios(form.scenarios, data.tasks)
        seconds = _expected_seconds(services, rows, data, scenarios, form)
    except MtstError:  # said in the Train tab, and when the comparison is started
        return ComparisonPlan(source, gr.update(value=START))
    count = quantity(len(scenarios), "scenario")
    return ComparisonPlan(source, gr.update(value=f"Compare {count} · about {run_status.rough_duration(seconds)}"))


def _expected_seconds(
    services: Services, rows: ComparedRows, data: Dataset, scenarios: Sequence[str], form: ComparisonForm
) -> float:
    """Return about how long a comparison takes.

    Raises:
        MtstError: it cannot be started.
    """
    name, prompt = rows.encoder
    alone = ALONE_SCENARIO if form.alone else None
    config = TrainConfig()
    attempts = plan_comparison(data, config, scenarios, form.seeds, alone=alone)
    model = untrained_model(services, data.tasks, name)
    pace = services.row_seconds(data.texts, services.encoder_named(name, prompt))
    return expected_comparison_seconds(model, data, config, attempts, pace, race=form.race)


def start_comparison(services: Services, visitor: str, form: ComparisonForm, run: str | None = None) -> ComparisonStart:
    """Put a comparison in the queue, of the rows that `describe_plan` tells.

    Raises:
        gr.Error: it cannot be started.
    """
    try:
        rows = compared_rows(services, form.data, run)
        data = rows.dataset()
        job = rows.job(services, data)
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
