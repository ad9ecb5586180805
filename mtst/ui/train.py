"""The Train tab: choose data and what to freeze on the left; follow the run on the right."""

from collections.abc import AsyncIterator
from functools import partial

import gradio as gr

from mtst.errors import MtstError, RunError
from mtst.export import zip_model
from mtst.folder import Job
from mtst.history import History
from mtst.repeating import command
from mtst.tasks import Task
from mtst.ui import confusion, dataset, plots_training, predict, schedule, story, watch
from mtst.ui.downloads import fresh
from mtst.ui.draft import Draft, chosen
from mtst.ui.form import SILENT, form
from mtst.ui.parts.layer_map import layers
from mtst.ui.parts.live_plot import drawn, hidden, live_plot
from mtst.ui.parts.pieces import card, empty, html, problem, quiet, said
from mtst.ui.services import Services
from mtst.ui.settings import config_of, in_words

OUTPUTS = 13  # of `show`
DESCRIPTION = (
    "Loss of each task on train and validation rows and macro-F1 on validation rows, by epoch, with the baselines as "
    "dashed lines; the scores below hold the same in numbers"
)
NO_LOSS = empty(
    "The loss and the score of each task will be drawn here",
    "Choose a file or the sample, then start. You can zoom in, hide a curve, and reload the page while it trains.",
)


def start(
    services: Services,
    draft: Draft | None,
    text: str | None,
    labels: list[str],
    merge: bool,
    tasks: tuple[Task, ...] | None,
    *ticked: list[str],
    **values: object,
) -> tuple[object, ...]:
    """Put a run in the queue; return its token, its state, and the updates that hide what was of the run before."""
    try:
        wanted = dataset.choice(text, labels, merge, ticked)
        draft = chosen(draft)
        token = services.runs.submit(*dataset.job(services, draft, wanted, config_of(tasks or (), **values)))
        return token, watch.status(History()), gr.Button(visible=False), hidden(), hidden()
    except MtstError as error:
        raise gr.Error(in_words(str(error)), title="Cannot train yet", print_exception=False) from error


async def follow(services: Services, token: str | None) -> AsyncIterator[tuple[object, ...]]:
    """Yield what the page shows of a run whenever it has grown, until it is over."""
    try:
        folder = services.runs.folder(token)
        token, job = folder.path.name, folder.job()
    except RunError:
        yield tuple(gr.skip() for _ in range(OUTPUTS))  # no run to show: the page stays as it is
        return
    shown: tuple[bool, bool] | None = None
    async for history in services.runs.follow(token):
        stage = (history.started is not None, history.over)
        yield show(history, job, token, services.runs.ahead(token), folder.stop_requested, draw=stage != shown)
        shown = stage


def show(
    history: History, job: Job, token: str, ahead: int, stopping: bool, *, draw: bool = True
) -> tuple[object, ...]:
    """Return every output of the right side for a history; see `outputs` in `train_tab` for their order.

    The layers are drawn when a run begins and ends only: meanwhile a visitor may look at other scenarios.
    """
    started, finished = history.started, history.finished
    if started and started.epochs:
        plot = drawn(plots_training.curves(history, token[:6]))
        blank = html(visible=False)
    elif started and finished:
        plot = hidden()
        blank = html(empty("Nothing was trained", "The scores below are those of the model as it is."), visible=True)
    else:
        plot, blank = hidden(), html(NO_LOSS, visible=True)
    groups = layers(started.groups, finished.proof if finished else ()) if started and draw else gr.skip()
    repeat = command(job, [task.name for task in started.tasks]) if started else []
    planned, wrong = schedule.running(history), confusion.mistakes(history)
    return (
        plot,
        blank,
        watch.status(history, ahead, stopping),
        watch.scores(history),
        groups,
        gr.Button(visible=history.over),
        gr.Button(visible=not history.over, interactive=not stopping),
        story.story(history, repeat),
        gr.Column(visible=finished is not None),
        planned,
        gr.Column(visible=bool(planned)),
        wrong,
        gr.Column(visible=bool(wrong)),
    )


def stop(services: Services, token: str | None) -> tuple[gr.Button, object]:
    """Ask the run to end within a step."""
    try:
        services.runs.stop(token or "")
        return gr.Button(interactive=False), gr.skip()
    except RunError as error:
        return gr.Button(visible=False), problem(error)


def prepare(services: Services, token: str | None) -> tuple[gr.DownloadButton, dict]:
    """Make the ZIP of a run's model."""
    try:
        target = fresh("mtst-model.zip")
        zip_model(services.trained(token), target)
    except MtstError as error:
        return gr.DownloadButton(visible=False), said(problem(error))
    size = target.stat().st_size / 1e6
    return gr.DownloadButton(f"Save mtst-model.zip ({size:.0f} MB)", value=str(target), visible=True), said(
        quiet("The folder in it loads with MultiTaskSentenceTransformer.load; its encoder with SentenceTransformer.")
    )


def train_tab(services: Services, demo: gr.Blocks, run: gr.BrowserState, tabs: gr.Tabs, model: gr.Radio) -> None:
    """Build the tab. `run` keeps the visitor's token; `model` is the choice of model in the Predict tab."""
    limits = services.settings
    begin = gr.Button(
        "Start training", variant="primary", size="lg", interactive=False, elem_id="train-start", render=False
    )
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320):
            steps = form(services, demo, begin)
        with gr.Column(scale=6, min_width=320, elem_classes="side"):
            with card("This run", note=f"up to {limits.max_minutes:g} minutes, kept {limits.run_ttl_hours:g} hours"):
                status = html(watch.idle("your run will be shown here"), elem_id="train-status")
                begin.render()
                halt = gr.Button(
                    "Stop and keep the best model", variant="stop", size="lg", visible=False, elem_id="train-stop"
                )
            with card("Loss and macro-F1", note="drag to zoom, double-click to reset"):
                blank = html(NO_LOSS)
                plot = live_plot(height=560, describes=DESCRIPTION, elem_id="train-loss")
            with card("Layers, epoch by epoch", visible=False) as opening:
                planned = html(elem_id="train-openings")
            with card("Scores"):
                scores = html(watch.NO_SCORES, elem_id="train-scores")
            with card("What was taken for what", note="held-out rows, the model that is kept", visible=False) as missed:
                wrong = html(elem_id="train-mistakes")
            with card("What happened", visible=False) as after:
                told = html(elem_id="train-story")
                with gr.Row():
                    use = gr.Button("Use it in Predict", elem_id="train-use")
                    pack = gr.Button("Prepare the download", elem_id="train-pack")
                taken = gr.DownloadButton("Save", visible=False, variant="primary", elem_id="train-download")
                packed = html(visible=False)
    outputs = [plot, blank, status, scores, steps.drawing, begin, halt, told, after, planned, opening, wrong, missed]
    followed = {
        "fn": partial(follow, services), "inputs": run, "outputs": outputs, "concurrency_limit": None, **SILENT
    }  # fmt: skip
    begin.click(
        partial(start, services),
        [*steps.data, *steps.ticked],
        [run, status, begin, taken, packed],
        inputs_kwargs=steps.config,
        **SILENT,
    ).success(**followed)
    demo.load(**followed)
    halt.click(partial(stop, services), run, [halt, status], queue=False, **SILENT)
    use.click(lambda: (gr.Tabs(selected="predict"), predict.OWN), None, [tabs, model], **SILENT)
    pack.click(
        partial(prepare, services), run, [taken, packed], api_visibility="private", show_progress="minimal",
        concurrency_limit=1, concurrency_id="files",
    )  # fmt: skip
