"""The left side of the Train tab, and what happens when a visitor fills it in."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import gradio as gr
from gradio.blocks import Block

from mtst.assets import SAMPLE, SMALL_SAMPLE
from mtst.data.tasks import Task
from mtst.errors import MtstError
from mtst.ui.components.clickable import press_js
from mtst.ui.components.events import SILENT, Event, Outputs, named_inputs
from mtst.ui.components.templates import static_text
from mtst.ui.server.browser_state import BrowserTokens
from mtst.ui.server.temporary_files import fresh_path
from mtst.ui.services import uploaded_model
from mtst.ui.services.services import Services
from mtst.ui.train.form import chosen_file, dataset, restored_run, scenario_picker
from mtst.ui.train.form.chosen_file import FileView
from mtst.ui.train.form.data_quality import FindingsView, no_findings
from mtst.ui.train.form.dataset import DataView
from mtst.ui.train.form.form_values import ConfigForm, DataForm
from mtst.ui.train.form.lr_finder import rate_finder
from mtst.ui.train.form.panel import FormPanel, form_panel
from mtst.ui.train.form.scenario_picker import ScenarioView
from mtst.ui.train.form.upload_draft import UploadDraft


@dataclass(frozen=True)
class Form:
    """The components that other parts of the page need.

    `data` are those of the fields of `DataForm`, `config` those that `ConfigForm.from_inputs` takes, both by name;
    `start` is what training starts from. `restored` are the events that show the run of the page in the form, in order.
    """

    data: dict[str, Any]
    config: dict[str, Any]
    drawing: gr.HTML
    start: gr.Radio
    restored: tuple[Event, ...]


def save_rows(services: Services, form: DataForm) -> str:
    """Write what happened to every row; return the path of the file.

    Raises:
        gr.Error: it cannot be written.
    """
    try:
        data = form.dataset()
        path = fresh_path("mtst-rows.csv")
        form.file.row_report(data, services.encoder_named(form.encoder, form.chosen_prompt)).write(path)
    except MtstError as error:
        raise gr.Error(str(error), title="No file could be made", print_exception=False) from error
    return str(path)


def form(services: Services, demo: gr.Blocks, begin: gr.Button, ahead: gr.HTML, tokens: BrowserTokens) -> Form:
    """Build the steps into the column that is open; `begin` starts a run, and `ahead` says what that will be."""
    panel = form_panel(services, begin, ahead)
    data = named_inputs(DataForm, panel)
    config: dict[str, Any] = {
        "scenario": panel.scenario,
        "open_groups": panel.open_groups,
        "top_blocks": panel.top_blocks,
        "epochs_per_group": panel.epochs_per_group,
        **panel.hyperparameters.values,
    }
    restored = _connect(services, demo, panel, data, config, tokens.run)

    def save(**values: Any) -> str:
        return save_rows(services, DataForm(**values))

    panel.save.click(
        save, None, panel.saved_rows, inputs_kwargs=data, concurrency_limit=1, concurrency_id="files", **SILENT
    ).success(None, None, None, js=press_js("train-rows-save"))
    with panel.hyperparameters.rates:
        rate_finder(services, demo, data | config, panel.hyperparameters, tokens.search)
    gr.on([demo.load, tokens.model.change], uploaded_model.offer, tokens.model, panel.start, **SILENT)
    gr.on(
        [panel.start.change, panel.tasks.change, tokens.model.change], partial(uploaded_model.describe_heads, services),
        [tokens.model, panel.start, panel.tasks], panel.start_note, **SILENT,
    )  # fmt: skip
    return Form(data, config, panel.drawing, panel.start, restored)


def _connect(
    services: Services,
    demo: gr.Blocks,
    panel: FormPanel,
    data: dict[str, Any],
    config: dict[str, Any],
    run: gr.BrowserState,
) -> tuple[Event, ...]:
    """Let every step follow those before it: a file its columns, the columns the rows, the rows the scenarios.

    Return the events that show the run of the page in the form, in order.
    """
    file_outputs, data_outputs = Outputs(FileView, panel), Outputs(DataView, panel)
    scenario_outputs, findings_outputs = Outputs(ScenarioView, panel), Outputs(FindingsView, panel.findings)

    def restore(draft: UploadDraft | None, token: str | None) -> dict[Block, Any]:
        values = restored_run.restored_settings(services, draft, token)
        updates: dict[Block, Any] = {field: values[name] for name, field in config.items() if name in values}
        if scenario := values.get("scenario"):  # it is among the choices before the cards for its tasks are there
            updates[panel.scenario] = gr.update(choices=[(values["scenario_title"], scenario)], value=scenario)
        return updates or dict.fromkeys(config.values(), gr.skip())

    def describe(scenario: str | None, token: str | None, **values: Any) -> DataView:
        return dataset.describe_data(services, DataForm(**values), scenario, token)

    def show(
        tasks: tuple[Task, ...] | None,
        rows: int | None,
        encoder: str,
        draft: UploadDraft | None,
        token: str | None,
        **values: Any,
    ) -> ScenarioView:
        form = ConfigForm.from_inputs(**values)
        view = scenario_picker.show_scenario(services, tasks, form, rows, encoder)
        return replace(view, ahead=restored_run.describe_next(services, draft, token, form.scenario, tasks))

    def press(
        tasks: tuple[Task, ...] | None, open_groups: list[str], encoder: str, event: gr.EventData
    ) -> tuple[str, list[str]]:
        return scenario_picker.toggle_group(services, tasks, open_groups, event.key, encoder)

    described: Event = {
        "fn": data_outputs.by_name(describe),
        "inputs": [panel.scenario, run],
        "inputs_kwargs": data,
        "outputs": data_outputs.components,
        **SILENT,
    }
    scenario_shown: Event = {
        "fn": scenario_outputs.by_name(show),
        "inputs": [panel.tasks, panel.train_rows, panel.encoder, panel.draft, run],
        "inputs_kwargs": config,
        "outputs": scenario_outputs.components,
        **SILENT,
    }
    findings_cleared: Event = {
        "fn": findings_outputs.by_name(no_findings),
        "inputs": None,
        "outputs": findings_outputs.components,
        **SILENT,
    }

    def describe_after(event: gr.events.Dependency) -> gr.events.Dependency:
        return event.then(**described).then(**scenario_shown)

    read = partial(chosen_file.read_file, services)
    outputs = file_outputs.components
    uploaded = gr.on(
        [panel.upload.upload, panel.upload.clear], file_outputs.by_name(read), panel.upload, outputs, **SILENT
    )
    describe_after(uploaded.then(**findings_cleared))
    for button, path in ((panel.small_sample, SMALL_SAMPLE), (panel.large_sample, SAMPLE)):
        chosen = button.click(file_outputs.by_name(partial(read, str(path))), None, outputs, **SILENT)
        describe_after(chosen.then(**findings_cleared)).then(lambda: None, None, panel.upload, **SILENT)
    fetched = gr.on(
        [panel.fetch.click, panel.dataset_id.submit], file_outputs.by_name(partial(chosen_file.read_dataset, services)),
        [panel.draft, panel.dataset_id], outputs, concurrency_limit=2, concurrency_id="hub", **SILENT,
    )  # fmt: skip
    describe_after(fetched.then(**findings_cleared)).then(lambda: None, None, panel.upload, **SILENT)
    for name in ("header_line", "encoding", "delimiter", "sheet"):
        reread = file_outputs.by_name(partial(_reread, services, name))
        changed = getattr(panel, name).input(reread, [panel.draft, getattr(panel, name)], outputs, **SILENT)
        describe_after(changed.then(**findings_cleared))
    columns = [panel.text.input, panel.labels.input, panel.several.input, panel.merge.input]
    describe_after(gr.on(columns, **_latest(findings_cleared)))
    choice = panel.encoder_choice
    describe_after(choice.changed)
    describe_after(choice.choose_on(panel.suggest.click, panel.suggested, panel.suggestion))
    choice.prompt_changed.then(**described)
    gr.on([panel.copies.input, panel.conflicts.input, panel.doubtful.input], **_latest(described))
    describe_after(panel.treat.input(**_latest(findings_cleared)))
    gr.on([panel.scenario.input, *_changes(panel)], **_latest(scenario_shown))
    panel.more.click(None, None, None, js=static_text("more_scenarios.js"))
    panel.drawing.select(
        press, [panel.tasks, panel.open_groups, panel.encoder], [panel.scenario, panel.open_groups], **SILENT
    ).then(**scenario_shown)
    restored: Event = {"fn": restore, "inputs": [panel.draft, run], "outputs": list(config.values()), **SILENT}
    demo.load(**restored).then(**described).then(**scenario_shown)
    return restored, described, scenario_shown


def _reread(services: Services, name: str, draft: UploadDraft | None, value: str | int | None) -> FileView:
    return chosen_file.reread_file(services, draft, **{name: value})


def _latest(event: Event) -> Event:
    """Return the event with only the last of several triggers answered, while one of them is under way."""
    return {**event, "trigger_mode": "always_last"}


def _changes(panel: FormPanel) -> list[Any]:
    """Return the events of a changed hyperparameter. Gradio's `input` of a text misses what is pasted or deleted."""
    fields = (*panel.hyperparameters.values.values(), panel.top_blocks, panel.epochs_per_group)
    return [each.change if isinstance(each, gr.Textbox) else each.input for each in fields]
