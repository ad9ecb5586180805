"""Before and after training: the same held-out sentences, epoch by epoch, on the same axes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial

import gradio as gr
import numpy as np
from markupsafe import Markup

from mtst.analysis import projection
from mtst.analysis.similarity import changed_pairs, cosine
from mtst.data.dataset import Dataset
from mtst.data.labels.sets import label_indices
from mtst.data.tasks import Task
from mtst.errors import RunError
from mtst.runs.folder import RunFolder
from mtst.text import inline_text, truncate
from mtst.training import embedding_history
from mtst.training.config import split
from mtst.ui.components.events import SILENT, UNCHANGED, Event, Outputs, Update
from mtst.ui.components.html import html, quiet, table
from mtst.ui.components.live_plot import hide_figure, live_plot, show_figure
from mtst.ui.plots.map import NO_LABEL, merge_rare, scatter
from mtst.ui.services.services import Services

DESCRIPTION = "Held-out sentences as points after the epoch that is chosen, on the same axes for every epoch"
NOTHING_MOVED = quiet(
    "The held-out sentences before and after training appear here once a run has trained the encoder. Where it is "
    "frozen, no sentence moves."
)
MAX_PAIRS = 5
MAX_STEPS, SECONDS_PER_STEP = 12, 0.9
MARGIN = 1.08  # of the axes around the points
UNCHANGED_COSINE = 0.005  # a smaller change is not listed
SEVERAL = "several labels"


@dataclass(frozen=True)
class ChangesView:
    """What is there before a run has trained its encoder, or the slider at the kept epoch and the choice of a task."""

    nothing: Update
    shown: Update
    epoch: Update = UNCHANGED
    task: Update = UNCHANGED
    last: int = 0


@dataclass(frozen=True)
class ChangesPanel:
    """The components of `ChangesView`, the arguments of an event that opens them, and of one that draws the figure."""

    nothing: gr.HTML
    shown: gr.Column
    epoch: gr.Slider
    task: gr.Radio
    last: gr.State
    open: Event
    draw: Event


def rows_of(folder: RunFolder) -> Dataset:
    """Return the held-out rows whose embeddings are saved."""
    validation = split(folder.data(), folder.job().config)[1]
    return validation.take(range(min(len(validation), embedding_history.MAX_ROWS)))


def open_changes(services: Services, token: str | None) -> ChangesView:
    """Return the view of a run that has trained its encoder; for any other it says that there is nothing to see."""
    nothing = ChangesView(gr.update(visible=True), gr.update(visible=False))
    try:
        folder = services.runs.folder(token)
        history, epochs = folder.history(), embedding_history.saved_epochs(folder.embeddings_path)
    except RunError:
        return nothing
    if not history.is_finished or len(epochs) < 2:
        return nothing
    tasks, kept = history.tasks, history.finished.best_epoch
    names = [(inline_text(task.name, 40), task.name) for task in tasks]
    return ChangesView(
        gr.update(visible=False),
        gr.update(visible=True),
        epoch=gr.update(maximum=epochs[-1], value=kept if kept in epochs else epochs[-1]),
        task=gr.update(choices=names, value=tasks[0].name, visible=len(tasks) > 1),
        last=epochs[-1],
    )


def draw_epoch(services: Services, token: str | None, epoch: int, task_name: str | None) -> tuple[Update, str]:
    """Return the figure after an epoch, coloured by the labels of a task, and how the similarities have changed."""
    try:
        folder = services.runs.folder(token)
        path = folder.embeddings_path
        epochs = embedding_history.saved_epochs(path)
        if not epochs:
            return hide_figure(), ""
        rows = rows_of(folder)
        shown = min(int(epoch), epochs[-1])
        before, now, last = (embedding_history.load_embeddings(path, each) for each in (0, shown, epochs[-1]))
    except RunError:
        return hide_figure(), ""
    task = next((task for task in rows.tasks if task.name == task_name), rows.tasks[0])
    labels = [_label(task, label) for label in rows.labels[task.name]]
    axes = projection.SharedAxes(before, last)
    figure = scatter(axes.project(now), rows.texts, *merge_rare(labels), names=False)
    limit = MARGIN * axes.extent
    figure.update_xaxes(range=[-limit, limit], title=None).update_yaxes(range=[-limit, limit], title=None)
    figure.update_layout(
        transition={"duration": 600, "easing": "cubic-in-out"},  # the points travel
        margin=dict.fromkeys("lrtb", 8),
        legend={"orientation": "v", "x": 1, "xanchor": "left", "y": 1, "yanchor": "top"},
    )
    return show_figure(figure), _similarity_changes(rows, cosine(before), cosine(now), int(epoch))


async def play_epochs(last: int) -> AsyncIterator[int]:
    """Yield the epochs one after the other, in about ten seconds at most; each is drawn as it is shown."""
    step = max(1, -(-last // MAX_STEPS))
    for epoch in [*range(0, last, step), last]:
        yield epoch
        await asyncio.sleep(SECONDS_PER_STEP)


def _label(task: Task, value: int) -> str:
    labels = label_indices(task, value)
    if len(labels) > 1:
        return SEVERAL
    return task.labels[labels[0]] if labels else NO_LABEL


def _similarity_changes(rows: Dataset, before: np.ndarray, now: np.ndarray, epoch: int) -> Markup:
    """Return how the cosines (n, n) of all pairs have changed, and the pairs that changed most."""
    pairs = np.triu_indices(len(before), k=1)
    change = now[pairs] - before[pairs]
    text = quiet(
        f"{len(rows):,} held-out sentences. After epoch {epoch} the cosine of two of them has changed by "
        f"{np.abs(change).mean():.2f} on average; it was {before[pairs].mean():.2f} and is {now[pairs].mean():.2f}."
    )
    changed = [
        (f"{before[i, j]:.2f}", f"{now[i, j]:.2f}", truncate(rows.texts[i], 120), truncate(rows.texts[j], 120))
        for i, j, _ in changed_pairs(before, now, MAX_PAIRS)
        if abs(now[i, j] - before[i, j]) > UNCHANGED_COSINE
    ]
    if not changed:
        return text
    header = ("before", "now", "sentence", "sentence")
    return text + table(header, changed, caption="Largest changes", text_columns=(2, 3))


def embedding_changes(services: Services, run: gr.BrowserState) -> ChangesPanel:
    """Build the components into the tab that is open."""
    nothing = html(NOTHING_MOVED)
    with gr.Column(visible=False) as column:
        with gr.Row(equal_height=False):
            epoch = gr.Slider(0, 1, value=1, step=1, label="After epoch", elem_id="train-journey-epoch", min_width=200)
            play = gr.Button("Play", size="sm", scale=0, min_width=90, elem_id="train-journey-play")
            task = gr.Radio([], label="Colour by", visible=False, elem_id="train-journey-colour", min_width=160)
        figure = live_plot(height=380, description=DESCRIPTION, elem_id="train-journey")
        changes = html(elem_id="train-journey-told")
    draw: Event = {
        "fn": partial(draw_epoch, services),
        "inputs": [run, epoch, task],
        "outputs": [figure, changes],
        "trigger_mode": "always_last",
        **SILENT,
    }
    open_event: Event = {"inputs": run, **SILENT}
    last = gr.State(0)
    panel = ChangesPanel(nothing, column, epoch, task, last, open_event, draw)
    outputs = Outputs(ChangesView, panel)
    open_event |= {"fn": outputs.by_name(partial(open_changes, services)), "outputs": outputs.components}
    gr.on([epoch.change, task.input], **draw)
    play.click(play_epochs, last, epoch, concurrency_limit=None, trigger_mode="once", **SILENT)
    return panel
