"""Draw a map of sentences, recolour it, choose a point, add a sentence."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import gradio as gr

from mtst.analysis.projection import LinearProjection, project, project_new
from mtst.data.table import Table
from mtst.errors import MtstError
from mtst.text import inline_text
from mtst.ui.components.events import UNCHANGED
from mtst.ui.components.html import empty, html, problem, quiet, show_message
from mtst.ui.components.live_plot import hide_figure, show_figure, show_marker
from mtst.ui.components.oddities import oddity_note
from mtst.ui.components.progress import ProgressSteps, embed_with_progress, with_progress
from mtst.ui.components.sentence_box import clean_query
from mtst.ui.map.embedding_map import NOT_CHOSEN, EmbeddingMap, PredictedLabels
from mtst.ui.map.source import FILE, SAMPLE_ALL, SAMPLE_SMALL, select_sentences
from mtst.ui.plots import map as map_plots
from mtst.ui.services.encoder_suggestion import unread_texts
from mtst.ui.services.services import Services

MENU_SIZE = 1_000  # sentences in the menu
STARTER, TRAINED = "starter", "own"
NO_SENTENCES = empty("No points yet", "Choose sentences and press Draw the map.")
NOT_DRAWN = empty("Not drawn yet", "Press Draw the map. To embed thousands of sentences takes a minute or more.")


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
    menu: Any = UNCHANGED
    trust: Any = UNCHANGED
    neighbours: Any = UNCHANGED
    unread: Any = UNCHANGED

    @classmethod
    def message(cls, text: str) -> "MapView":
        """Return the view without a map."""
        return cls(
            drawing=None,
            figure=hide_figure(),
            placeholder=html(text, visible=True),
            progress=show_message(""),
            menu=gr.update(choices=[], value=None),
            trust="",
            neighbours=NOT_CHOSEN,
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
    menu = [(f"{index + 1}. {inline_text(text, 90)}", index) for index, text in enumerate(drawing.texts[:MENU_SIZE])]
    cut = "" if len(drawing.texts) <= MENU_SIZE else f" (the first {MENU_SIZE:,}; write any other)"
    return MapView(
        drawing=drawing,
        figure=_show_map(drawing, colour),
        placeholder=html(visible=False),
        progress=show_message(""),
        colour=gr.update(choices=choices, value=colour),
        menu=gr.update(choices=menu, value=None, label=f"A sentence of the map{cut}"),
        trust=drawing.trust,
        neighbours=NOT_CHOSEN,
    )


def _show_map(drawing: EmbeddingMap, colour: str) -> dict[str, Any]:
    return show_figure(map_plots.scatter(drawing.plane, drawing.texts, *drawing.groups(colour)))


def recolour(drawing: EmbeddingMap | None, colour: str | None) -> dict[str, Any]:
    """Return the figure in other colours."""
    if drawing is None or colour not in [key for _, key in drawing.colours()]:
        return gr.skip()
    return _show_map(drawing, colour)


def choose_sentence(drawing: EmbeddingMap | None, index: object) -> tuple[Any, Any, Any]:
    """Mark a sentence and list its true neighbours; return the figure, the list, and the value of the menu."""
    if drawing is None or not isinstance(index, int) or not 0 <= index < len(drawing.texts):
        return gr.skip(), gr.skip(), gr.skip()
    text, point = drawing.texts[index], drawing.plane.points[index]
    neighbours = drawing.neighbours(f"{index + 1}. {text}", drawing.embeddings[index], point, index)
    return show_marker(map_plots.marker_trace(point, text)), neighbours, index if index < MENU_SIZE else None


def add_sentence(services: Services, drawing: EmbeddingMap | None, sentence: str) -> tuple[Any, Any, Any]:
    """Place a new sentence on the map and list its true neighbours; return the same as `choose_sentence`."""
    sentence = sentence.strip()
    if drawing is None or not sentence:
        return gr.skip(), gr.skip(), gr.skip()
    if sentence in drawing.texts:
        return choose_sentence(drawing, drawing.texts.index(sentence))
    sentence = clean_query(sentence)
    try:
        model = services.run_model(drawing.run) if drawing.run else services.starter
        embedding = model.encoder.encode([sentence])[0]
    except MtstError as error:
        return gr.skip(), problem(error), gr.skip()
    point = project_new(drawing.plane, drawing.embeddings, embedding)
    where = (
        "where the projection puts it"
        if isinstance(drawing.plane, LinearProjection)
        else "between the five that are nearest to it"
    )
    neighbours = drawing.neighbours(sentence, embedding, point)
    note = quiet(f"It is new here: it lies {where}.")
    return show_marker(map_plots.marker_trace(point, sentence)), f"{neighbours}{note}", None
