"""The Map tab: sentences as points on a plane, and the true neighbours of a chosen one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr
from gradio.components import Component

from mtst.analysis.projection import METHODS
from mtst.ui.components.clickable import clickable_html, press_js
from mtst.ui.components.events import SILENT, Event, Outputs, named_inputs, show_with_run
from mtst.ui.components.html import card, empty, html, quiet
from mtst.ui.components.live_plot import live_plot
from mtst.ui.components.upload import limits_note, show_file_note, upload_area
from mtst.ui.map.drawing import (
    STARTER,
    TRAINED,
    MapRequest,
    MapView,
    draw,
    recolour,
)
from mtst.ui.map.embedding_map import EmbeddingMap
from mtst.ui.map.selection import (
    NOT_CHOSEN,
    SelectionView,
    add_sentence,
    save_selection,
    search_sentences,
    select,
)
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
    "Scatter plot of the sentences; sentences with similar meaning lie near each other. The search above it and the "
    "list below it select them too."
)
METHOD_NOTE = "t-SNE and UMAP keep neighbours together; UMAP is quicker with thousands. PCA keeps large distances best."
HEIGHT = 600
FIRST = empty(f"Drawing {SAMPLE_POINTS} sentences", "Each becomes a point, coloured by what it is about.", HEIGHT)


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
    trust: gr.HTML
    selected: gr.HTML
    inside: gr.State
    save: gr.Button
    unread: gr.HTML


def map_tab(services: Services, tab: gr.Tab, sentences: gr.Textbox, run: gr.BrowserState | None = None) -> None:
    """Build the content of a tab.

    Args:
        services: what all visitors share.
        tab: the tab.
        sentences: the text box of the Compare tab.
        run: holds the token of the visitor's run.
    """
    table, drawing, inside = gr.State(), gr.State(), gr.State([])
    token = run or gr.State()
    with card("Data"):
        with gr.Row():
            source = gr.Radio(
                [
                    (f"{SAMPLE_POINTS} sample sentences", SAMPLE_SMALL),
                    (f"All {SAMPLE_ROWS:,} of the sample", SAMPLE_ALL),
                    ("My own sentences", TYPED),
                    ("A file", FILE),
                ],
                value=SAMPLE_SMALL, label="Sentences", min_width=300, scale=5, elem_id="map-source",
            )  # fmt: skip
            method = gr.Radio(
                list(METHODS), value="t-SNE", label="Projection", min_width=240, scale=3,
                elem_id="map-method",
            )  # fmt: skip
        text = gr.Textbox(lines=8, max_lines=14, label="My sentences, one per line", visible=False, elem_id="map-text")
        with gr.Column(visible=False) as file_fields:
            html(quiet(limits_note(services.settings.limits, labelled=False)))
            upload = upload_area("map-upload")
            column = gr.Dropdown(label="Column of the sentences", visible=False, elem_id="map-column")
            note = html(visible=False)
        with gr.Row(elem_classes="bottoms"):
            model = gr.Radio(
                [("Starter", STARTER), ("My trained run", TRAINED)],
                value=STARTER, label="Model", visible=False, min_width=220, scale=3, elem_id="map-model",
            )  # fmt: skip
            html(quiet(METHOD_NOTE), elem_id="map-note")
            button = gr.Button("Draw map", variant="primary", min_width=180, scale=0, elem_id="map-go")
        unread = html(visible=False, elem_id="map-unread")
    with card("Sentences in two dimensions", note="click a point for its nearest neighbours"):
        with gr.Row():
            words = gr.Textbox(
                label="Search", placeholder="Words in a sentence, or a sentence of your own", max_lines=1, scale=3,
                min_width=240, elem_id="map-search",
            )  # fmt: skip
            colour = gr.Dropdown(
                [("label: topic", "known:topic")], value="known:topic", label="Colour", scale=2, min_width=200,
                elem_id="map-colour",
            )  # fmt: skip
        progress = html(visible=False, elem_id="map-progress")
        placeholder = html(FIRST)
        figure = live_plot(height=HEIGHT, description=DESCRIPTION, elem_id="map-plot")
        trust = html(elem_id="map-trust")
        selected = clickable_html(NOT_CHOSEN, elem_id="map-selected")
        save = gr.Button("Save as CSV", size="sm", visible=False, elem_id="map-save")
        saved = gr.DownloadButton(visible="hidden", elem_id="map-saved")
    panel = MapPanel(
        source=source, text=text, table=table, column=column, note=note, method=method, model=model, colour=colour,
        run=token, drawing=drawing, figure=figure, placeholder=placeholder, progress=progress, trust=trust,
        selected=selected, inside=inside, save=save, unread=unread,
    )  # fmt: skip
    map_view, file_view, selection = Outputs(MapView, panel), Outputs(FileView, panel), Outputs(SelectionView, panel)

    def draw_event(*, requested: bool) -> Event:
        def handler(**values: Any) -> Iterator[MapView]:
            yield from draw(services, MapRequest(**values), requested=requested)

        return {
            "fn": map_view.by_name(handler), "outputs": map_view.components,
            "inputs_kwargs": named_inputs(MapRequest, panel), "concurrency_limit": 8, **SILENT,
        }  # fmt: skip

    def selection_event(handler: Callable[..., SelectionView], *inputs: Component) -> Event:
        return {
            "fn": selection.by_name(handler), "inputs": list(inputs), "outputs": selection.components,
            "trigger_mode": "always_last", **SILENT,
        }  # fmt: skip

    def press_point(drawing: EmbeddingMap | None, event: gr.EventData) -> SelectionView:
        return select(drawing, event.index)

    def press_row(drawing: EmbeddingMap | None, event: gr.EventData) -> SelectionView:
        return select(drawing, event.key)

    gr.on([button.click, method.input, model.input], trigger_mode="always_last", **draw_event(requested=True))
    source.input(_show_source, [source, text, sentences], [text, file_fields], **SILENT).then(
        **draw_event(requested=False)
    )
    show_with_run(model, tab, token)
    upload.change(file_view.by_name(partial(read_file, services)), upload, file_view.components, **SILENT)
    column.input(partial(show_file_note, more=NEXT), [table, column], note, **SILENT)
    colour.input(recolour, [drawing, colour], figure, **SILENT)
    figure.select(**selection_event(press_point, drawing))
    selected.select(**selection_event(press_row, drawing))
    words.change(**selection_event(search_sentences, drawing, words))
    words.submit(**selection_event(partial(add_sentence, services), drawing, words))
    save.click(save_selection, [drawing, inside], saved, concurrency_limit=1, concurrency_id="files", **SILENT).success(
        None, None, None, js=press_js("map-saved")
    )


def _show_source(source: str, text: str, compared: str) -> tuple[gr.Textbox, gr.Column]:
    """Show the text box, filled from the Compare tab the first time, or the fields of a file."""
    return gr.Textbox(visible=source == TYPED, value=text or compared), gr.Column(visible=source == FILE)
