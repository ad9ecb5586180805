"""The Train tab: choose data and what to freeze on the left; follow the run on the right."""

from collections.abc import Iterator
from functools import partial

import gradio as gr

from mtst.errors import MtstError
from mtst.ui.components import run_status
from mtst.ui.components.clickable import answer_area, clickable_html
from mtst.ui.components.html import card, html, problem, quiet, show_message
from mtst.ui.components.live_plot import hide_figure, live_plot
from mtst.ui.components.progress import ProgressSteps, with_progress
from mtst.ui.components.server_load import server_load
from mtst.ui.server.browser_state import BrowserTokens
from mtst.ui.server.visitors import visitor_id
from mtst.ui.services.model_data import TRAINED
from mtst.ui.services.model_zip import make_model_zip
from mtst.ui.services.services import Services
from mtst.ui.train import run_controls, run_view
from mtst.ui.train.form.form import SILENT, Form, form
from mtst.ui.train.results import error_analysis, score_tables
from mtst.ui.train.results.embedding_changes import before_after

DESCRIPTION = (
    "Loss of each task on train and validation rows and macro-F1 on validation rows, by epoch, with the baselines as "
    "dashed lines; the scores below hold the same in numbers"
)
# Another tab may have resumed a run that this one shows as broken off: whoever comes back to this one sees it.
LOOK = """() => document.addEventListener('visibilitychange', () => document.visibilityState === 'visible'
  && document.querySelector('#train-status :is(.interrupted, .stopped, .failed)')
  && document.querySelector('#train-look')?.click())"""


def prepare(services: Services, token: str | None, onnx: bool = False) -> tuple[gr.DownloadButton, dict]:
    """Make the ZIP of a run's model; with `onnx` it is in there a second time, for programs without PyTorch."""
    try:
        target = make_model_zip(services, token, onnx=onnx)
    except MtstError as error:
        return gr.DownloadButton(visible=False), show_message(problem(error))
    size = target.stat().st_size / 1e6
    return gr.DownloadButton(f"Save mtst-model.zip ({size:.0f} MB)", value=str(target), visible=True), show_message(
        quiet(
            "In it: the encoder, which loads with SentenceTransformer, the heads, a model card, the report with the "
            "proof of freezing, and predict.py, which needs no mtst."
            + (" As ONNX in the folder onnx, compared with PyTorch." if onnx else "")
        )
    )


def pack(services: Services, token: str | None, onnx: bool = False) -> Iterator[tuple[gr.DownloadButton, dict]]:
    """Say that the ZIP of a run's model is being made, or waits for those of others; then yield what `prepare` returns.

    Whoever leaves while it waits ends it.
    """
    hidden = gr.DownloadButton(visible=False)
    yield hidden, show_message(quiet("Packing the model."))
    for progress in (
        steps := ProgressSteps(
            with_progress("Packing the model", partial(prepare, services, token, onnx), services.executors.packing)
        )
    ):
        yield hidden, show_message(progress.html())
    yield steps.result


def _limits(services: Services) -> str:
    limits = services.settings
    return (
        f"up to {limits.max_minutes:g} minutes and {limits.max_memory_gb:g} GB; {limits.max_runs_waiting} at once and "
        f"{limits.max_runs_an_hour} an hour for each visitor; kept {limits.run_ttl_hours:g} hours"
    )


def train_tab(services: Services, demo: gr.Blocks, tokens: BrowserTokens, tabs: gr.Tabs, model: gr.Radio) -> Form:
    """Build the tab; return its steps. `model` is the choice of model in the Predict tab."""
    run = tokens.run
    begin = gr.Button(
        "Start training", variant="primary", size="lg", interactive=False, elem_id="train-start", render=False
    )
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320):
            steps = form(services, demo, begin, tokens)
        with gr.Column(scale=6, min_width=320, elem_classes="side"):
            with card("This run", note=_limits(services)):
                status = html(run_status.idle_status("your run will be shown here"), elem_id="train-status")
                begin.render()
                halt = gr.Button(
                    "Stop and keep the best model", variant="stop", size="lg", visible=False, elem_id="train-stop"
                )
                with gr.Row():
                    again = gr.Button("Resume", visible=False, elem_id="train-resume")
                    away = gr.Button("Delete this run and its data", visible=False, elem_id="train-delete")
                    sure = gr.Button("Yes, delete it now", variant="stop", visible=False, elem_id="train-delete-sure")
                server_load(elem_id="train-server")
                look = gr.Button("Look again", visible="hidden", elem_id="train-look")
            with card("Loss and macro-F1", note="drag to zoom, double-click to reset"):
                blank = html(run_view.NO_LOSS)
                plot = live_plot(height=560, description=DESCRIPTION, elem_id="train-loss")
            with card("Layers, epoch by epoch", visible=False) as opening:
                planned = html(elem_id="train-openings")
            with card("Scores"):
                scores = html(score_tables.NO_SCORES, elem_id="train-scores")
            with card("What was taken for what", note="held-out rows, the model that is kept", visible=False) as missed:
                wrong = clickable_html(elem_id="train-mistakes")
                behind = answer_area(elem_id="train-cell")
                examined = html(elem_id="train-errors")
            with card("What happened", visible=False) as after:
                told = html(elem_id="train-story")
                rescued = html(elem_id="train-rescued")
                with gr.Row():
                    use = gr.Button("Use it in Predict", elem_id="train-use")
                    make = gr.Button("Prepare the download", elem_id="train-pack")
                onnx = gr.Checkbox(False, label="As ONNX too, which takes a moment", elem_id="train-onnx")
                taken = gr.DownloadButton("Save", visible=False, variant="primary", elem_id="train-download")
                packed = html(visible=False)
            opened, drawing = before_after(services, run)
    outputs = [
        plot, blank, status, scores, steps.drawing, begin, halt, again, away, told, after, planned, opening, wrong,
        missed, rescued,
    ]  # fmt: skip
    followed = {
        "fn": partial(run_view.follow, services), "inputs": run, "outputs": outputs, "concurrency_limit": None, **SILENT
    }  # fmt: skip

    shown = {
        "fn": partial(error_analysis.examine, services),
        "inputs": run,
        "outputs": [wrong, behind, examined],
        **SILENT,
    }

    def start(request: gr.Request, *values: object, **config: object) -> tuple[object, ...]:
        return run_controls.start_run(services, visitor_id(request), *values, **config)

    def resume(request: gr.Request, token: str | None) -> tuple[object, ...]:
        return run_controls.resume_clicked(services, visitor_id(request), token)

    begin.click(
        start,
        [*steps.data, *steps.ticked],
        [run, status, begin, taken, packed],
        inputs_kwargs=steps.config | {"start": steps.start, "model": tokens.model},
        **SILENT,
    ).success(**followed).then(**shown).then(**opened).then(**drawing)
    gr.on([demo.load, look.click], **followed).then(**shown).then(**opened).then(**drawing)
    demo.load(None, None, None, js=LOOK)
    resumed = again.click(resume, run, [again, taken, packed], **SILENT).success(**followed)
    resumed.then(**shown).then(**opened).then(**drawing)
    away.click(lambda: (hide_figure(), gr.Button(visible=True)), None, [away, sure], **SILENT)
    sure.click(
        partial(run_controls.delete_clicked, services), run, [run, sure, taken, packed, *outputs], **SILENT
    ).then(**shown).then(**opened)

    def read(token: str | None, event: gr.EventData) -> Iterator[str]:
        yield from error_analysis.sentences(services, token, event.key)

    wrong.select(read, run, behind, **SILENT, trigger_mode="always_last")
    halt.click(partial(run_controls.stop_clicked, services), run, [halt, status], queue=False, **SILENT)
    use.click(lambda: (gr.Tabs(selected="predict"), TRAINED), None, [tabs, model], **SILENT)
    make.click(partial(pack, services), [run, onnx], [taken, packed], concurrency_limit=8, **SILENT)
    return steps
