"""The Scenarios tab: every scenario on the visitor's own rows, side by side, and which of them to take."""

from functools import partial

import gradio as gr

from mtst.data.tasks import DEFAULT_TASKS
from mtst.training.scenarios import comparable_scenarios, find_scenario
from mtst.ui.components.html import card, html, quiet
from mtst.ui.components.live_plot import live_plot
from mtst.ui.scenarios import comparison_view
from mtst.ui.server.visitors import visitor_id
from mtst.ui.services.services import Services
from mtst.ui.train import run_controls
from mtst.ui.train.form.form import SILENT, Form
from mtst.ui.train.form.upload_draft import UploadDraft

CURVES = "Mean macro-F1 on the validation rows against seconds, a line for each scenario; the table has the numbers"
COSTS = "Mean macro-F1 on the test rows against the seconds of each scenario; the table has the numbers"
MORE = "Macro-F1 on the test rows against the number of training rows, and where the curve leads"
SEEDS = [("Quick: one seed", 1), ("Sure: three seeds, with their spread", 3)]
SAVE = "() => { for (const id of ['scenarios-html', 'scenarios-json']) document.querySelector('#' + id).click(); }"


def _choices() -> list[tuple[str, str]]:
    fixed = [key for key in comparable_scenarios(DEFAULT_TASKS) if not key.startswith(comparison_view.ONE_HEAD)]
    titles = [(find_scenario(key, DEFAULT_TASKS).title, key) for key in fixed]
    return [*titles, ("Freeze one head, each in turn", comparison_view.ONE_HEAD)]


def _named(draft: UploadDraft | None, encoder: str) -> str:
    """Say what will be compared."""
    if draft is None:
        return quiet(f"Nothing is chosen in the Train tab, so the sample of 600 sentences is taken, with {encoder}.")
    return quiet(f"{draft.table.name}, with the columns and the encoder of the Train tab ({encoder}).")


def scenarios_tab(services: Services, tab: gr.Tab, steps: Form, token: gr.BrowserState) -> None:
    """Build the tab; `steps` are those of the Train tab, whose rows are compared; `token` keeps that of the visitor."""
    with gr.Row(equal_height=False):
        with gr.Column(scale=4, min_width=300), card("What to compare"):
            source = html(_named(None, services.settings.encoder), elem_id="scenarios-data")
            keys = gr.CheckboxGroup(
                _choices(), value=[key for _, key in _choices()], label="Scenarios", elem_id="scenarios-keys"
            )
            seeds = gr.Radio(SEEDS, value=1, label="How often each is trained", elem_id="scenarios-seeds")
            alone = gr.Checkbox(
                False,
                label="Train each task alone too",
                elem_id="scenarios-alone",
                info="Tells whether learning together helps, where everything is trained.",
            )
            begin = gr.Button("Compare scenarios", variant="primary", size="lg", elem_id="scenarios-start")
            status = html(comparison_view.READY, elem_id="scenarios-status")
            halt = gr.Button("Stop and keep what is there", variant="stop", visible=False, elem_id="scenarios-stop")
            again = gr.Button("Resume", visible=False, elem_id="scenarios-resume")
        with gr.Column(scale=7, min_width=320):
            with card("What should I freeze?"):
                answer = html(comparison_view.NOTHING, elem_id="scenarios-answer")
                table = html(elem_id="scenarios-table")
                with gr.Row(visible=False) as after:
                    keep = gr.Button("Save as one page and as JSON", elem_id="scenarios-save")
                    away = gr.Button("Delete it and its data", elem_id="scenarios-delete")
            page = gr.DownloadButton("Save", visible="hidden", elem_id="scenarios-html")
            report = gr.DownloadButton("Save", visible="hidden", elem_id="scenarios-json")
            with card("Score against cost", visible=False) as figures:
                costs = live_plot(height=340, description=COSTS, elem_id="scenarios-costs")
                curves = live_plot(height=340, description=CURVES, elem_id="scenarios-curves")
            with card("Would more data help?", visible=False) as data:
                more = html(elem_id="scenarios-more")
                learning = live_plot(height=300, description=MORE, elem_id="scenarios-learning")
    outputs = [status, answer, table, figures, curves, costs, data, learning, more, begin, halt, again, after]
    followed = {
        "fn": partial(comparison_view.follow, services), "inputs": token, "outputs": outputs, "concurrency_limit": None,
        **SILENT,
    }  # fmt: skip
    *chosen, _tasks = steps.data

    def start(request: gr.Request, *values: object, encoder: str) -> tuple[object, ...]:
        return comparison_view.start(services, visitor_id(request), *values, encoder=encoder)

    def resume(request: gr.Request, mine: str | None) -> gr.Button:
        return comparison_view.resume(services, visitor_id(request), mine)

    begin.click(
        start,
        [keys, seeds, alone, *chosen, *steps.ticked],
        [token, status, begin],
        inputs_kwargs={"encoder": steps.config["encoder"]},
        **SILENT,
    ).success(**followed)
    tab.select(**followed)
    tab.select(_named, [steps.data[0], steps.config["encoder"]], source, **SILENT)
    halt.click(partial(run_controls.stop_clicked, services), token, [halt, status], queue=False, **SILENT)
    again.click(resume, token, again, **SILENT).success(**followed)
    away.click(partial(comparison_view.delete, services), token, [token, *outputs], **SILENT)
    keep.click(
        partial(comparison_view.pack, services),
        token,
        [page, report],
        concurrency_limit=1,
        concurrency_id="files",
        **SILENT,
    ).success(None, None, None, js=SAVE)
