"""The Map tab: sentences as points on a plane, neighbours near each other, and what is truly near a chosen one."""

from collections.abc import Iterator
from functools import partial

import gradio as gr

from mtst.analysis.projection import METHODS, land, project
from mtst.data.table import Table
from mtst.errors import MtstError
from mtst.text import inline_text
from mtst.ui.components.html import card, empty, html, problem, quiet, show_message
from mtst.ui.components.live_plot import hide_figure, live_plot, show_figure, show_marker
from mtst.ui.components.progress import ProgressSteps, embed_with_progress, with_progress
from mtst.ui.components.sentence_box import clean_query
from mtst.ui.components.upload import limits_note, upload_area
from mtst.ui.map.embedding_map import NOT_CHOSEN, EmbeddingMap, PredictedLabels
from mtst.ui.map.source import (
    FILE,
    SAMPLE_ALL,
    SAMPLE_POINTS,
    SAMPLE_ROWS,
    SAMPLE_SMALL,
    TYPED,
    chosen_sentences,
    read_file,
)
from mtst.ui.plots import map as map_plots
from mtst.ui.services.services import Services

MENU = 1_000  # sentences in the menu that chooses one
STARTER, TRAINED = "starter", "own"
DESCRIPTION = (
    "Scatter plot of the sentences; sentences with similar meaning lie near each other. The menu below it chooses one."
)
HEIGHT = 520
FIRST = empty(f"Drawing {SAMPLE_POINTS} sentences", "Each becomes a point, coloured by what it is about.", HEIGHT)
NOTHING = empty("No points yet", "Choose sentences and press Draw the map.")
ASK = empty("Not drawn yet", "Press Draw the map. To embed thousands of sentences takes a minute or more.")
OUTPUTS = 8
LATER = "() => new Promise(done => setTimeout(done, 1500))"  # first comes what the tab shows that is open


def draw(
    services: Services, source: str, text: str, table: Table | None, column: str | None, method: str, which: str,
    colour: str | None, run: str | None, *, asked: bool = True,
) -> Iterator[tuple[object, ...]]:  # fmt: skip
    """Yield how far it is, then what is drawn: its state, figure, message, progress, colours, menu, trust, neighbours.

    If it was not `asked` for, what would take long is not begun.
    """
    if not asked and source in (SAMPLE_ALL, FILE):
        yield _nothing(ASK)
        return
    try:
        model, of = (services.run_model(run), run) if which == TRAINED else (services.starter, None)
        chosen = chosen_sentences(source, text, table, column)
        if not chosen.texts:
            yield _nothing(NOTHING)
            return
        for progress in (
            steps := ProgressSteps(
                embed_with_progress(model.encoder, chosen.texts, services.executors.large_embeddings)
            )
        ):
            yield _under_way(progress.html())
        rows = steps.result
        doing = f"Placing {len(rows):,} points by {method}"
        make = partial(project, rows, method)
        shared = of is None and source in (SAMPLE_SMALL, SAMPLE_ALL)  # every visitor begins with it
        place = (
            partial(services.sample_planes.get_or_load, f"{source} {method}", lambda kept: kept or make())
            if shared
            else make
        )
        for progress in (steps := ProgressSteps(with_progress(doing, place, services.executors.projections[method]))):
            yield _under_way(progress.html())
    except MtstError as error:
        yield _nothing(problem(error))
        return
    drawing = EmbeddingMap(chosen.texts, chosen.known, rows, steps.result, PredictedLabels.by(model, rows), of)
    choices = drawing.colours()
    keys = [key for _, key in choices]
    colour = colour if colour in keys else keys[0]
    numbered = [(f"{k + 1}. {inline_text(text, 90)}", k) for k, text in enumerate(chosen.texts[:MENU])]
    which_ones = "" if len(chosen.texts) <= MENU else f" (the first {MENU:,}; write any other)"
    yield (
        drawing,
        show_figure(_figure(drawing, colour)),
        html(visible=False),
        show_message(""),
        gr.update(choices=choices, value=colour),
        gr.update(choices=numbered, value=None, label=f"A sentence of the map{which_ones}"),
        drawing.trust,
        NOT_CHOSEN,
    )


def _under_way(progress: str) -> tuple[object, ...]:
    return (gr.skip(), gr.skip(), gr.skip(), show_message(progress), *[gr.skip()] * (OUTPUTS - 4))


def _nothing(message: str) -> tuple[object, ...]:
    menu = gr.update(choices=[], value=None)
    return None, hide_figure(), html(message, visible=True), show_message(""), gr.skip(), menu, "", NOT_CHOSEN


def _figure(drawing: EmbeddingMap, colour: str) -> object:
    return map_plots.scatter(drawing.plane, drawing.texts, *drawing.coloured(colour))


def recolour(drawing: EmbeddingMap | None, colour: str | None) -> dict:
    """Return the figure in other colours."""
    if drawing is None or colour not in [key for _, key in drawing.colours()]:
        return gr.skip()
    return show_figure(_figure(drawing, colour))


def choose(drawing: EmbeddingMap | None, number: int | None) -> tuple[object, object, object]:
    """Mark a sentence and list its true neighbours; return the figure, the list and the choice in the menu."""
    if drawing is None or not isinstance(number, int) or not 0 <= number < len(drawing.texts):
        return gr.skip(), gr.skip(), gr.skip()
    text, place = drawing.texts[number], drawing.plane.points[number]
    near = drawing.near(f"{number + 1}. {text}", drawing.rows[number], place, number)
    return show_marker(map_plots.mark(place, text)), near, number if number < MENU else None


def add(services: Services, drawing: EmbeddingMap | None, sentence: str) -> tuple[object, object, object]:
    """Let a written sentence land on the map, and list its true neighbours."""
    sentence = sentence.strip()
    if drawing is None or not sentence:
        return gr.skip(), gr.skip(), gr.skip()
    if sentence in drawing.texts:
        return choose(drawing, drawing.texts.index(sentence))
    sentence = clean_query(sentence)
    try:
        model = services.run_model(drawing.run) if drawing.run else services.starter
        row = model.encoder.encode([sentence])[0]
    except MtstError as error:
        return gr.skip(), problem(error), gr.skip()
    place = land(drawing.plane, drawing.rows, row)
    how = "where the projection puts it" if drawing.plane.basis else "between the five that are nearest to it"
    near = f"{drawing.near(sentence, row, place)}{quiet(f'It is new here: it lies {how}.')}"
    return show_marker(map_plots.mark(place, sentence)), near, None


def map_tab(services: Services, demo: gr.Blocks, sentences: gr.Textbox, run: gr.BrowserState | None = None) -> None:
    """Build the tab; `sentences` is the box of the Compare tab, `run` the visitor's trained run."""
    table, drawing = gr.State(), gr.State()
    run = run or gr.State()
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
            with gr.Column(visible=False) as file:
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
            which = gr.Radio(
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
        with gr.Column(scale=7, min_width=320):
            with card("Sentences in two dimensions", note="press a point for its true neighbours"):
                nothing = html(FIRST)
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
                    written = gr.Textbox(
                        label="Or any sentence",
                        info="Enter puts it on the map.",
                        max_lines=1,
                        min_width=260,
                        elem_id="map-sentence",
                    )
                near = html(NOT_CHOSEN, elem_id="map-near")
    drawn_again = {
        "inputs": [source, text, table, column, method, which, colour, run],
        "outputs": [drawing, figure, nothing, progress, colour, menu, trust, near],
        "show_progress": "hidden",
        "concurrency_limit": 8,
    }
    private = {"api_visibility": "private", "show_progress": "hidden"}
    gr.on(
        [button.click, method.input, which.input],
        partial(draw, services),
        api_visibility="private",
        trigger_mode="always_last",
        **drawn_again,
    )
    unasked = {"fn": partial(draw, services, asked=False), "api_visibility": "private", **drawn_again}
    source.input(_show, [source, text, sentences], [text, file], **private).then(**unasked)
    demo.load(None, None, None, js=LATER).then(**unasked)
    upload.change(partial(read_file, services), upload, [table, column, note], **private)
    colour.input(recolour, [drawing, colour], figure, **private)
    chosen = {"outputs": [figure, near, menu], **private, "trigger_mode": "always_last"}

    def press(drawing: EmbeddingMap | None, event: gr.EventData) -> tuple[object, ...]:
        return choose(drawing, event.index)

    figure.select(press, drawing, **chosen)
    menu.input(choose, [drawing, menu], **chosen)
    written.submit(partial(add, services), [drawing, written], **chosen)


def _show(source: str, text: str, compared: str) -> tuple[gr.Textbox, gr.Column]:
    """Show the box for own sentences, filled with those of the Compare tab the first time, or the place for a file."""
    return gr.Textbox(visible=source == TYPED, value=text or compared), gr.Column(visible=source == FILE)
