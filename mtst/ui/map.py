"""The Map tab: sentences as points on a plane, neighbours near each other, coloured by label."""

from functools import lru_cache, partial

import gradio as gr

from mtst.data import make_dataset
from mtst.errors import MtstError
from mtst.model import DEFAULT_TASKS
from mtst.projection import METHODS, project
from mtst.similarity import distinct
from mtst.starter import SAMPLE
from mtst.tables import read_table
from mtst.ui import plots
from mtst.ui.parts.live_plot import drawn, hidden, live_plot
from mtst.ui.parts.pieces import card, empty, html, problem
from mtst.ui.services import Services

MAX_POINTS = 1_000
SAMPLE_POINTS = 400
OWN, SHIPPED = "own", "sample"
DESCRIPTION = "Scatter plot of the sentences; sentences with similar meaning lie near each other"
NOTHING = empty("No points yet", "Choose sentences and press Draw the map.")


@lru_cache(maxsize=1)
def sample() -> tuple[list[str], dict[str, list[str]]]:
    """Return sample sentences and, for each task, their labels."""
    data = make_dataset(read_table(SAMPLE), "text", ["topic", "sentiment"])
    complete = [k for k in range(len(data)) if all(labels[k] >= 0 for labels in data.labels.values())]
    chosen = data.take(complete[:SAMPLE_POINTS])
    labels = {task.name: [task.labels[k] for k in chosen.labels[task.name]] for task in data.tasks}
    return list(chosen.texts), labels


def draw(services: Services, source: str, text: str, method: str, colour: str) -> tuple[object, object]:
    """Return the figure and the message beside it."""
    try:
        if source == SHIPPED:
            texts, known = sample()
            groups = known[colour]
        else:
            texts = distinct(text.splitlines())
            if not texts:
                return hidden(), html(NOTHING, visible=True)
            if len(texts) > MAX_POINTS:
                return hidden(), html(problem(f"At most {MAX_POINTS:,} sentences can be drawn here."), visible=True)
            groups = services.starter.predict(texts)[colour].labels
        order = next(task.labels for task in services.starter.tasks if task.name == colour)
        plane = project(services.encoder.encode(texts), method)
    except MtstError as error:
        return hidden(), html(problem(error), visible=True)
    return drawn(plots.scatter(plane, texts, groups, order)), html(visible=False)


def map_tab(services: Services, demo: gr.Blocks, sentences: gr.Textbox) -> None:
    """Build the tab; `sentences` is the box of the Compare tab."""
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=280), card("What to draw"):
            source = gr.Radio(
                [(f"{SAMPLE_POINTS} sample sentences", SHIPPED), ("My own sentences", OWN)],
                value=SHIPPED,
                label="Sentences",
            )
            text = gr.Textbox(
                lines=8, max_lines=14, label="My sentences, one a line", visible=False, elem_id="map-text"
            )
            method = gr.Radio(
                list(METHODS),
                value="PCA",
                label="Projection",
                info="PCA keeps distances best on the whole; t-SNE keeps neighbours together.",
            )
            colour = gr.Radio(
                [task.name for task in DEFAULT_TASKS],
                value="topic",
                label="Colour",
                info="The label for sample sentences, the starter heads' prediction for your own.",
            )
            button = gr.Button("Draw the map", variant="primary", size="lg", elem_id="map-go")
        with gr.Column(scale=7, min_width=320), card("Sentences in two dimensions", note="point at one to read it"):
            nothing = html(NOTHING)
            figure = live_plot(height=520, describes=DESCRIPTION, elem_id="map-plot")
    drawn_again = {
        "fn": partial(draw, services),
        "inputs": [source, text, method, colour],
        "outputs": [figure, nothing],
        "show_progress": "hidden",
        "concurrency_limit": 2,
    }
    gr.on(
        [button.click, method.input, colour.input, demo.load], api_name="map", trigger_mode="always_last", **drawn_again
    )
    source.input(_show_own, [source, text, sentences], text, api_visibility="private", show_progress="hidden").then(
        **drawn_again, api_visibility="private"
    )


def _show_own(source: str, text: str, compared: str) -> gr.Textbox:
    """Show the box for own sentences, filled with those of the Compare tab the first time."""
    return gr.Textbox(visible=source == OWN, value=text or compared)
