"""The Map tab: sentences as points on a plane, and the true neighbours of a chosen one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr
from gradio.components import Component

from mtst.analysis.projection import METHODS
from mtst.ui.components.events import SILENT, Event, Outputs, named_inputs
from mtst.ui.components.html import card, empty, html, quiet
from mtst.ui.components.live_plot import live_plot
from mtst.ui.components.templates import static_text
from mtst.ui.components.upload import limits_note, show_file_note, upload_area
from mtst.ui.map.drawing import (
    STARTER,
    TRAINED,
    MapRequest,
    MapView,
    add_sentence,
    choose_sentence,
    draw,
    recolour,
)
from mtst.ui.map.embedding_map import NOT_CHOSEN, EmbeddingMap
from mtst.ui.map.source import (
    FILE,
    NEXT,
    SAMPLE_ALL,
    SAMPLE_POINTS,
    SAMPLE_ROWS,
    SAMPLE_SMALL,
    TYPED,
    FileView,
    read_file,
)
from mtst.ui.services.services import Services

DESCRIPTION = (
    "Scatter plot of the sentences; sentences with similar meaning lie near each other. The menu below it chooses one."
)
HEIGHT = 520
FIRST = empty(f"Drawing {SAMPLE_POINTS} sentences", "Each becomes a point, coloured by what it is about.", HEIGHT)
DELAY_JS = static_text("delay.js")  # the tab that is open loads first


@dataclass(frozen=True, eq=False)
class MapPanel:
    """The components that a map is drawn from, and those that show it."""

    source: gr.Radio
    text: gr.Textbox
    table: gr.State
    column: gr.Dropdown
    note: gr.HTML
    method: gr.Radio
    model: gr.Radio
    colour: gr.Dropdown
    run: gr.BrowserState | gr.State
    drawing: gr.State
    figure: gr.HTML
    placeholder: gr.HTML
    progress: gr.HTML
    menu: gr.Dropdown
    trust: gr.HTML
    neighbours: gr.HTML
    unread: gr.HTML


def map_tab(services: Services, demo: gr.Blocks, sentences: gr.Textbox, run: gr.BrowserState | None = None) -> None:
    """Build the tab; `sentences` is the text box of the Compare tab, `run` holds the token of the visitor's run."""
    table, drawing = gr.State(), gr.State()
    token = run or gr.State()
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=280), card("What to draw"):
            source = gr.Radio(
                [
                    (f"{SAMPLE_POINTS} sample sentences", SAMPLE_SMALL),
                    (f"All {SAMPLE_ROWS:,} of the sample", SAMPLE_ALL),
                    ("My own sentences", TYPED),
                    ("A file", FILE),
                ],
                value=SAMPLE_SMALL,
                label="Sentences",
                elem_id="map-source",
            )
            text = gr.Textbox(
                lines=8, max_lines=14, label="My sentences, one a line", visible=False, elem_id="map-text"
            )
            with gr.Column(visible=False) as file_fields:
                html(quiet(limits_note(services.settings.limits, labelled=False)))
                upload = upload_area("map-upload")
                column = gr.Dropdown(label="Column of the sentences", visible=False, elem_id="map-column")
                note = html(visible=False)
            method = gr.Radio(
                list(METHODS),
                value="PCA",
                label="Projection",
                info="PCA keeps distances best on the whole; t-SNE and UMAP keep neighbours together.",
                elem_id="map-method",
            )
            model = gr.Radio(
                [("Starter", STARTER), ("My trained run", TRAINED)],
                value=STARTER,
                label="Model",
                info="Its encoder places the sentences, its heads predict.",
                elem_id="map-model",
            )
            colour = gr.Dropdown(
                [("label: topic", "known:topic")],
                value="known:topic",
                label="Colour",
                info="A cluster is named by its most central sentence.",
                elem_id="map-colour",
            )
            button = gr.Button("Draw the map", variant="primary", size="lg", elem_id="map-go")
            progress = html(visible=False, elem_id="map-progress")
            unread = html(visible=False, elem_id="map-unread")
        with gr.Column(scale=7, min_width=320):
            with card("Sentences in two dimensions", note="press a point for its true neighbours"):
                placeholder = html(FIRST)
                figure = live_plot(height=HEIGHT, description=DESCRIPTION, elem_id="map-plot")
                trust = html(elem_id="map-trust")
            with card("One sentence and its neighbours"):
                with gr.Row():
                    menu = gr.Dropdown(
                        label="A sentence of the map",
                        info="By its number, or by words in it.",
                        min_width=260,
                        elem_id="map-menu",
                    )
                    new_sentence = gr.Textbox(
                        label="Or any sentence",
                        info="Enter puts it on the map.",
                        max_lines=1,
                        min_width=260,
                        elem_id="map-sentence",
                    )
                neighbours = html(NOT_CHOSEN, elem_id="map-near")
    panel = MapPanel(
        source=source, text=text, table=table, column=column, note=note, method=method, model=model, colour=colour,
        run=token, drawing=drawing, figure=figure, placeholder=placeholder, progress=progress, menu=menu, trust=trust,
        neighbours=neighbours, unread=unread,
    )  # fmt: skip
    map_view, file_view = Outputs(MapView, panel), Outputs(FileView, panel)

    def draw_event(*, requested: bool) -> Event:
        def handler(**values: Any) -> Iterator[MapView]:
            yield from draw(services, MapRequest(**values), requested=requested)

        return {
            "fn": map_view.by_name(handler), "outputs": map_view.components,
            "inputs_kwargs": named_inputs(MapRequest, panel), "concurrency_limit": 8, **SILENT,
        }  # fmt: skip

    gr.on([button.click, method.input, model.input], trigger_mode="always_last", **draw_event(requested=True))
    source.input(_show_source, [source, text, sentences], [text, file_fields], **SILENT).then(
        **draw_event(requested=False)
    )
    demo.load(None, None, None, js=DELAY_JS).then(**draw_event(requested=False))
    upload.change(file_view.by_name(partial(read_file, services)), upload, file_view.components, **SILENT)
    column.input(partial(show_file_note, more=NEXT), [table, column], note, **SILENT)
    colour.input(recolour, [drawing, colour], figure, **SILENT)

    def click_point(drawing: EmbeddingMap | None, event: gr.EventData) -> tuple[Any, Any, Any]:
        return choose_sentence(drawing, event.index)

    def chosen_event(handler: Callable[..., tuple[Any, Any, Any]], *inputs: Component) -> Event:
        return {
            "fn": handler, "inputs": list(inputs), "outputs": [figure, neighbours, menu],
            "trigger_mode": "always_last", **SILENT,
        }  # fmt: skip

    figure.select(**chosen_event(click_point, drawing))
    menu.input(**chosen_event(choose_sentence, drawing, menu))
    new_sentence.submit(**chosen_event(partial(add_sentence, services), drawing, new_sentence))


def _show_source(source: str, text: str, compared: str) -> tuple[gr.Textbox, gr.Column]:
    """Show the text box, filled from the Compare tab the first time, or the fields of a file."""
    return gr.Textbox(visible=source == TYPED, value=text or compared), gr.Column(visible=source == FILE)
