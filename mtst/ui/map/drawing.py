"""Draw a map of sentences, and recolour it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import gradio as gr

from mtst.analysis.projection import project
from mtst.data.table import Table
from mtst.errors import MtstError
from mtst.ui.components.events import UNCHANGED
from mtst.ui.components.html import empty, html, problem, show_message
from mtst.ui.components.live_plot import hide_figure, show_figure
from mtst.ui.components.oddities import oddity_note
from mtst.ui.components.progress import ProgressSteps, embed_with_progress, with_progress
from mtst.ui.map.embedding_map import EmbeddingMap, PredictedLabels
from mtst.ui.map.selection import NOTHING_SELECTED
from mtst.ui.map.source import FILE, SAMPLE_ALL, SAMPLE_SMALL, select_sentences
from mtst.ui.plots.map import scatter
from mtst.ui.services.encoder_suggestion import unread_texts
from mtst.ui.services.services import Services

STARTER, TRAINED = "starter", "own"
NO_SENTENCES = empty("No points yet", "Choose sentences and press Draw map.")
NOT_DRAWN = empty("Not drawn yet", "Press Draw map. To embed thousands of sentences takes a minute or more.")


@dataclass(frozen=True, eq=False)
class MapRequest:
    """What the visitor has chosen to draw; `run` is the token of their trained run."""

    source: str
    text: str
    table: Table | None
    column: str | None
    method: str
    model: str
    colour: str | None
    run: str | None


@dataclass(frozen=True, eq=False)
class MapView:
    """The updates of the components that show a map."""

    drawing: Any = UNCHANGED
    figure: Any = UNCHANGED
    placeholder: Any = UNCHANGED
    progress: Any = UNCHANGED
    colour: Any = UNCHANGED
    trust: Any = UNCHANGED
    selected: Any = UNCHANGED
    inside: Any = UNCHANGED
    save: Any = UNCHANGED
    unread: Any = UNCHANGED

    @classmethod
    def message(cls, text: str) -> "MapView":
        """Return the view without a map."""
        return cls(
            drawing=None,
            figure=hide_figure(),
            placeholder=html(text, visible=True),
            progress=show_message(""),
            trust="",
            **NOTHING_SELECTED,
            unread=show_message(""),
        )


def draw(services: Services, request: MapRequest, *, requested: bool = True) -> Iterator[MapView]:
    """Yield the progress, then the map; a map that takes long is drawn only if it was `requested` by a click."""
    if not requested and request.source in (SAMPLE_ALL, FILE):
        yield MapView.message(NOT_DRAWN)
        return
    try:
        run = request.run if request.model == TRAINED else None
        model = services.run_model(run) if request.model == TRAINED else services.starter
        sentences = select_sentences(request.source, request.text, request.table, request.column)
        if not sentences.texts:
            yield MapView.message(NO_SENTENCES)
            return
        steps = ProgressSteps(embed_with_progress(model.encoder, sentences.texts, services.executors.large_embeddings))
        for progress in steps:
            yield MapView(progress=show_message(progress.html()))
        embeddings = steps.result
        compute = partial(project, embeddings, request.method)
        if run is None and request.source in (SAMPLE_SMALL, SAMPLE_ALL):  # every visitor sees it first
            key = f"{request.source} {request.method}"
            compute = partial(services.sample_planes.get_or_load, key, partial(_cached_or, compute))
        description = f"Placing {len(embeddings):,} points by {request.method}"
        projecting = ProgressSteps(with_progress(description, compute, services.executors.projections[request.method]))
        for progress in projecting:
            yield MapView(progress=show_message(progress.html()))
        from_sample = request.source in (SAMPLE_SMALL, SAMPLE_ALL)
        unread = () if from_sample else unread_texts(services, model.encoder, sentences.texts, sentences.lines)
    except MtstError as error:
        yield MapView.message(problem(error))
        return
    predictions = PredictedLabels.of(model, embeddings)
    drawing = EmbeddingMap(sentences.texts, sentences.values, embeddings, projecting.result, predictions, run)
    yield replace(_map_view(drawing, request.colour), unread=show_message(oddity_note(unread)))


def _cached_or(compute: Any, cached: Any) -> Any:
    return cached or compute()


def _map_view(drawing: EmbeddingMap, colour: str | None) -> MapView:
    choices = drawing.colours()
    keys = [key for _, key in choices]
    colour = colour if colour in keys else keys[0]
    return MapView(
        drawing=drawing,
        figure=_show_map(drawing, colour),
        placeholder=html(visible=False),
        progress=show_message(""),
        colour=gr.update(choices=choices, value=colour),
        trust=drawing.trust,
        **NOTHING_SELECTED,
    )


def _show_map(drawing: EmbeddingMap, colour: str, *, keep_marker: bool = False) -> dict[str, Any]:
    figure = scatter(drawing.plane, drawing.texts, *drawing.groups(colour))
    meta = {**figure.layout.meta, "explore": True, "axis": drawing.plane.axes[0]}
    return show_figure(figure.update_layout(meta=meta), keep_marker=keep_marker)


def recolour(drawing: EmbeddingMap | None, colour: str | None) -> dict[str, Any]:
    """Return the figure in other colours."""
    if drawing is None or colour not in [key for _, key in drawing.colours()]:
        return gr.skip()
    return _show_map(drawing, colour, keep_marker=True)
