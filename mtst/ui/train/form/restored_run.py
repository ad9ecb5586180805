"""The form after a reload: the rows, the scenario and the settings of the run that the page shows.

The file itself is not kept, but its chosen rows are, in the folder of the run: without another file, training starts
again on these.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from markupsafe import Markup

from mtst.data.dataset import Dataset
from mtst.data.tasks import Task
from mtst.errors import DataError, RunError
from mtst.runs.job import Job
from mtst.text import inline_text
from mtst.training.config import TrainConfig
from mtst.training.scenarios import find_scenario, list_scenarios
from mtst.ui.components.html import quiet
from mtst.ui.components.templates import render
from mtst.ui.services.services import Services
from mtst.ui.train.form.form_values import ConfigForm
from mtst.ui.train.form.hyperparameters import CHOICES, MAX_TASKS, config_of
from mtst.ui.train.form.upload_draft import UploadDraft

MAX_NAMED = 4  # tasks


@dataclass(frozen=True)
class StoredRun:
    """The job and the rows of a run."""

    job: Job
    data: Dataset


def stored_run(services: Services, draft: UploadDraft | None, token: str | None) -> StoredRun | None:
    """Return the run whose rows the form stands for, which has no file of its own; None if there is none.

    A run that began with an uploaded model is not one: it would need that model too.
    """
    if draft is not None or not token:
        return None
    try:
        folder = services.runs.folder(token)
        job = folder.job()
        return StoredRun(job, folder.data()) if job.kind == "train" and not job.start else None
    except RunError:
        return None


def source_name(job: Job) -> str:
    """Return the name of the file that a run is on, without its folder."""
    return inline_text(job.source.rpartition("/")[2] or "rows", 60)


def describe_next(
    services: Services, draft: UploadDraft | None, token: str | None, scenario: str | None, tasks: Sequence[Task] | None
) -> Markup:
    """Return what the next run will do on what, in a line; nothing while no rows are chosen."""
    stored = stored_run(services, draft, token)
    if not tasks or not (draft or stored):
        return Markup()
    known = list_scenarios(tasks)
    title = known[scenario].title if scenario in known else ""
    file = inline_text(draft.table.name.rpartition("/")[2], 60) if draft else source_name(stored.job) if stored else ""
    return quiet(" on ".join(part for part in (inline_text(title, 50), file) if part))


def restored_settings(
    services: Services, draft: UploadDraft | None, token: str | None
) -> dict[str, str | bool | list[str] | None]:
    """Return the settings of the run that the page shows, by their names in the form; none if a file is chosen.

    `scenario_title` is the name of the scenario.
    """
    run = stored_run(services, draft, token)
    if run is None:
        return {}
    config, tasks = run.job.config, run.data.tasks
    values: dict[str, str | bool | list[str] | None] = dict(typed_values(config, tasks))
    title = inline_text(find_scenario(config.scenario, tasks).title, 50)
    return values | {
        "scenario": config.scenario,
        "scenario_title": title,
        "open_groups": list(config.open_groups),
    }


def typed_values(config: TrainConfig, tasks: Sequence[Task]) -> dict[str, str | bool | None]:
    """Return what stands in the fields of the form for a config, by their names; empty for what is left open."""
    values: dict[str, str | bool | None] = {}
    for each in fields(TrainConfig):
        value = getattr(config, each.name)
        values[each.name] = value if each.name in CHOICES else "" if value is None else _typed(value)
    weights = [config.task_weights.get(task.name) for task in tasks]
    values |= {f"task_weight_{k}": "" for k in range(MAX_TASKS)}
    return values | {f"task_weight_{k}": "" if one is None else _typed(one) for k, one in enumerate(weights)}


def _typed(value: object) -> str:
    return repr(value) if isinstance(value, float) else str(value)


def train_again(services: Services, visitor: str, run: StoredRun, form: ConfigForm) -> str:
    """Queue a run on the rows of an earlier one, with the settings of the form; return its token.

    Raises:
        SettingsError: the settings make no sense.
        DataError: the rows cannot be trained on.
        RunError: the visitor has reached a limit.
    """
    if not len(run.data):
        raise DataError("The rows of this run are not here any more. Choose a file.")
    return services.runs.submit(replace(run.job, config=config_of(run.data.tasks, form)), run.data, visitor)


def describe_run(job: Job, tasks: Sequence[Task], rows: int) -> Markup:
    """Return what a run is on, in a line: its file, columns, rows and encoder."""
    names = [inline_text(task.name, 40) for task in tasks[:MAX_NAMED]]
    more = f" and {len(tasks) - MAX_NAMED} more" if len(tasks) > MAX_NAMED else ""
    return render(
        "train/used",
        file=source_name(job),
        text=inline_text(job.text, 40),
        labels=f"{', '.join(names)}{more}",
        rows=rows,
        encoder=inline_text(job.encoder, 60),
    )
