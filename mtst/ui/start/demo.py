"""The demo: heads only and then the top blocks, on the sample and the real engine, followed side by side."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

import gradio as gr

from mtst.assets import ASSETS, SMALL_SAMPLE
from mtst.data.dataset import make_dataset
from mtst.data.labels.choice import LabelChoice
from mtst.data.table import read_table
from mtst.errors import MtstError, RunError
from mtst.runs.history import History
from mtst.runs.job import Job
from mtst.runs.queue import QueuePosition
from mtst.training.config import TrainConfig
from mtst.ui.components.events import UNCHANGED, Update
from mtst.ui.components.html import problem
from mtst.ui.components.live_plot import hide_figure, show_figure
from mtst.ui.plots import demo as demo_plot
from mtst.ui.services.services import Services
from mtst.ui.start import demo_result

TASKS = ("topic", "sentiment")
EPOCHS = 6  # of the top blocks: enough to see what they gain, and with the heads a minute on two cores
STEPS = (
    demo_result.Step("Heads only", TrainConfig("freeze-encoder")),
    demo_result.Step("Top 2 blocks", TrainConfig("top-k", epochs=EPOCHS)),
)


@dataclass(frozen=True)
class DemoView:
    """What the Start tab shows of the demo; `demo` holds the tokens of its runs."""

    demo: list[str] | None = UNCHANGED
    panel: Update = UNCHANGED
    progress: str = UNCHANGED
    plot: Update = UNCHANGED
    result: str = UNCHANGED
    after: Update = UNCHANGED
    begin: Update = UNCHANGED


def start_demo(services: Services, visitor: str) -> DemoView:
    """Queue both runs.

    Raises:
        gr.Error: they cannot be started.
    """
    try:
        data = make_dataset(read_table(SMALL_SAMPLE), "text", TASKS)
        source = f"{ASSETS.name}/{SMALL_SAMPLE.name}"
        encoder = services.settings.encoder
        jobs = [Job(encoder, step.config, source, label_choice=LabelChoice(guessed=TASKS)) for step in STEPS]
        tokens = [services.runs.submit(job, data, visitor) for job in jobs]
    except MtstError as error:
        raise gr.Error(str(error), title="The demo cannot start now", print_exception=False) from error
    return DemoView(
        tokens,
        panel=gr.update(visible=True),
        progress=demo_result.progress(STEPS, [History(), History()]),
        plot=hide_figure(),
        result="",
        after=gr.update(visible=False),
        begin=gr.update(interactive=False),
    )


async def follow_demo(services: Services, tokens: Sequence[str] | None) -> AsyncIterator[DemoView]:
    """Yield the view whenever one of the runs has got further, and their comparison at the end.

    Without a demo, or once its runs are deleted, the page stays as it is.
    """
    histories = [History() for _ in STEPS]
    try:
        folders = [services.runs.folder(token) for token in tokens or ()]
        if len(folders) != len(STEPS):
            yield DemoView(None)
            return
        for number, folder in enumerate(folders):
            async for history in services.runs.follow(folder.path.name):
                histories[number] = history
                position = services.runs.position(folder.path.name)
                yield await asyncio.to_thread(_show, histories, position)
        result = await asyncio.to_thread(demo_result.compare_runs, STEPS, folders, histories)
    except RunError as error:
        yield DemoView(None, progress=problem(error), begin=gr.update(interactive=True))
        return
    shown = _show(histories, None)
    yield replace(shown, result=result, after=gr.update(visible=True), begin=gr.update(interactive=True))


def is_own_run(services: Services, token: str | None) -> bool:
    """Return whether a token is that of a run which no demo has made."""
    try:
        return services.runs.folder(token).job().config not in [step.config for step in STEPS]
    except RunError:
        return False


def _show(histories: Sequence[History], position: QueuePosition | None) -> DemoView:
    names = [step.title for step in STEPS]
    started = any(history.epochs for history in histories)
    return DemoView(
        panel=gr.update(visible=True),
        progress=demo_result.progress(STEPS, histories, position),
        plot=show_figure(demo_plot.overlay(histories, names)) if started else hide_figure(),
        begin=gr.update(interactive=False),
    )
