"""Before and after training: the same held-out sentences, epoch by epoch, on the same axes."""

from functools import partial

import gradio as gr
import numpy as np

from mtst.analysis import projection
from mtst.analysis.similarity import changed_pairs, cosine
from mtst.data.dataset import UNLABELLED, Dataset
from mtst.data.tasks import Task
from mtst.errors import RunError
from mtst.runs.folder import RunFolder
from mtst.text import inline_text, truncate
from mtst.training import embedding_history
from mtst.training.config import split
from mtst.ui.components.html import card, html, quiet, table
from mtst.ui.components.live_plot import hide_figure, live_plot, show_figure
from mtst.ui.plots.map import scatter
from mtst.ui.services.services import Services

DESCRIPTION = "Held-out sentences as points after the epoch that is chosen, on the same axes for every epoch"
MOVED = 5  # pairs that are listed
NO_LABEL = "no label"
Shown = tuple[object, ...]


def rows_of(folder: RunFolder) -> Dataset:
    """Return the held-out rows whose embeddings are kept."""
    held_out = split(folder.data(), folder.job().config)[1]
    return held_out.take(range(min(len(held_out), embedding_history.MAX_ROWS)))


def open_card(services: Services, token: str | None) -> Shown:
    """Return the card, its slider at the kept epoch and its choice of colours, for a run that has moved its encoder."""
    closed = gr.Column(visible=False), gr.skip(), gr.skip()
    try:
        folder = services.runs.folder(token)
        history, known = folder.history(), embedding_history.saved_epochs(folder.embeddings_path)
        if not history.is_finished or len(known) < 2:
            return closed
        tasks = history.started.tasks
        kept = history.finished.best_epoch
    except RunError:
        return closed
    names = [(inline_text(task.name, 40), task.name) for task in tasks]
    return (
        gr.Column(visible=True),
        gr.Slider(maximum=known[-1], value=kept if kept in known else known[-1]),
        gr.Radio(names, value=tasks[0].name, visible=len(tasks) > 1),
    )


def draw(services: Services, token: str | None, epoch: int, name: str | None) -> Shown:
    """Return the figure after an epoch, coloured by a task, and what became of the similarities."""
    try:
        folder = services.runs.folder(token)
        known = embedding_history.saved_epochs(folder.embeddings_path)
        if not known:
            return hide_figure(), ""
        rows = rows_of(folder)
        before, last = (
            embedding_history.load_embeddings(folder.embeddings_path, 0),
            embedding_history.load_embeddings(folder.embeddings_path, known[-1]),
        )
        now = embedding_history.load_embeddings(folder.embeddings_path, min(int(epoch), known[-1]))
    except RunError:
        return hide_figure(), ""
    task = next((task for task in rows.tasks if task.name == name), rows.tasks[0])
    labels = [_label(task, label) for label in rows.labels[task.name]]
    axes = projection.SharedAxes(before, last)
    figure = scatter(axes.project(now), rows.texts, labels, [*task.labels, NO_LABEL])
    reach = 1.08 * axes.extent
    figure.update_xaxes(range=[-reach, reach]).update_yaxes(range=[-reach, reach])
    return show_figure(figure), _changes(rows, cosine(before), cosine(now), int(epoch))


def _label(task: Task, label: int) -> str:
    return NO_LABEL if label == UNLABELLED else task.labels[label]


def _changes(rows: Dataset, before: np.ndarray, now: np.ndarray, epoch: int) -> str:
    """Say how the similarities of all pairs have changed, and which pairs changed most."""
    apart = np.triu_indices(len(before), k=1)
    change = now[apart] - before[apart]
    said = quiet(
        f"{len(rows):,} held-out sentences. After epoch {epoch} the cosine of two of them has changed by "
        f"{np.abs(change).mean():.2f} on average; it was {before[apart].mean():.2f} and is {now[apart].mean():.2f}."
    )
    moved = [
        (f"{before[i, j]:.2f}", f"{now[i, j]:.2f}", truncate(rows.texts[i], 120), truncate(rows.texts[j], 120))
        for i, j, _ in changed_pairs(before, now, MOVED)
        if abs(now[i, j] - before[i, j]) > 0.005
    ]
    header = ("before", "now", "sentence", "sentence")
    return said + (table(header, moved, caption="Pairs that moved most", text_columns=(2, 3)) if moved else "")


def before_after(services: Services, run: gr.BrowserState) -> tuple[dict[str, object], dict[str, object]]:
    """Build the card; return the arguments of an event that opens it once a run has ended, and of one that draws."""
    silent = {"api_visibility": "private", "show_progress": "hidden"}
    with card("Before and after", note="held-out rows, the same axes in every epoch", visible=False) as place:
        epoch = gr.Slider(0, 1, value=1, step=1, label="After epoch", elem_id="train-journey-epoch")
        task = gr.Radio([], label="Colour", visible=False, elem_id="train-journey-colour")
        figure = live_plot(height=420, description=DESCRIPTION, elem_id="train-journey")
        told = html(elem_id="train-journey-told")
    drawing = {
        "fn": partial(draw, services), "inputs": [run, epoch, task], "outputs": [figure, told], **silent,
        "trigger_mode": "always_last",
    }  # fmt: skip
    gr.on([epoch.change, task.input], **drawing)
    return {"fn": partial(open_card, services), "inputs": run, "outputs": [place, epoch, task], **silent}, drawing
