"""The Compare tab: sentences in; how close they are, which pairs stand out, what an embedding looks like."""

from functools import partial

import gradio as gr
import numpy as np

from mtst.errors import MtstError
from mtst.similarity import Pair, cosine, distinct, extreme_pairs, rank
from mtst.ui import plots
from mtst.ui.parts.live_plot import drawn, hidden, live_plot
from mtst.ui.parts.pieces import card, empty, html, problem, quiet, table
from mtst.ui.services import Services

MAX_SENTENCES = 100
EXAMPLES = (
    "The flight was three hours late.",
    "Our plane took off long after it should have.",
    "She scored twice in the second half.",
    "The striker decided the match with two goals.",
    "Shares fell sharply after the announcement.",
    "I loved every minute of this film.",
    "I did not enjoy this film at all.",
    "Machine learning is amazing!",
)
DESCRIPTION = "Heat map of the cosine similarity of every pair of sentences; the tables beside it hold the extremes"
NOTHING = empty("Nothing to compare yet", "Write two different sentences or more, one a line, and press Compare.")


def compare(services: Services, text: str, query: str) -> tuple[object, ...]:
    """Return the figure, the pairs, the numbers of the embeddings and the ranking for what was typed."""
    sentences = distinct(text.splitlines())
    if len(sentences) < 2:
        return hidden(), html(NOTHING, visible=True), "", "", ""
    if len(sentences) > MAX_SENTENCES:
        message = f"These are {len(sentences):,} sentences; at most {MAX_SENTENCES} can be compared here."
        return hidden(), html(problem(message), visible=True), "", "", ""
    try:
        embeddings = services.encoder.encode(sentences)
    except MtstError as error:
        return hidden(), html(problem(error), visible=True), "", "", ""
    cosines = cosine(embeddings)
    return (
        drawn(plots.similarity_map(sentences, cosines)),
        html(visible=False),
        _pairs(sentences, *extreme_pairs(cosines)),
        _numbers(sentences, embeddings),
        _ranking(services, query, sentences, embeddings),
    )


def _pairs(sentences: list[str], near: list[Pair], far: list[Pair]) -> str:
    def rows(pairs: list[Pair]) -> list[list[str]]:
        return [[f"{value:.3f}", f"{i + 1}. {sentences[i]}", f"{j + 1}. {sentences[j]}"] for i, j, value in pairs]

    header = ("cosine", "sentence", "sentence")
    made = table(header, rows(near), caption="Closest pairs", text_columns=(1, 2))
    return made + (table(header, rows(far), caption="Farthest pairs", text_columns=(1, 2)) if far else "")


def _numbers(sentences: list[str], embeddings: np.ndarray) -> str:
    rows = [
        [f"{number}. {text}", f"{np.linalg.norm(row):.3f}", "  ".join(f"{value:+.3f}" for value in row[:5]) + "  …"]
        for number, (text, row) in enumerate(zip(sentences, embeddings, strict=True), 1)
    ]
    caption = f"Each sentence becomes {embeddings.shape[1]} numbers"
    return table(("sentence", "length", "first five numbers"), rows, caption=caption, text_columns=(0, 2))


def _ranking(services: Services, query: str, sentences: list[str], embeddings: np.ndarray) -> str:
    if not query.strip():
        return quiet("Write a query to rank the sentences by how close they are to it.")
    found = rank(services.encoder.encode([query.strip()])[0], embeddings)
    rows = [[str(place), f"{value:.3f}", f"{k + 1}. {sentences[k]}"] for place, (k, value) in enumerate(found, 1)]
    return table(("rank", "cosine", "sentence"), rows, caption="Nearest to the query first", text_columns=(2,))


def compare_tab(services: Services, demo: gr.Blocks) -> gr.Textbox:
    """Build the tab; return the box of sentences, which the Map tab reads too."""
    with gr.Row(equal_height=False):
        with gr.Column(scale=4, min_width=320):
            with card("Sentences", note=f"one a line, up to {MAX_SENTENCES}"):
                sentences = gr.Textbox(
                    "\n".join(EXAMPLES), lines=9, max_lines=16, label="Sentences, one a line", elem_id="compare-text"
                )
                query = gr.Textbox("a delayed plane", label="Query", info="ranked against the sentences", max_lines=1)
                button = gr.Button("Compare", variant="primary", size="lg", elem_id="compare-go")
            with card("Query"):
                ranking = html(quiet("The ranking appears here."), elem_id="compare-ranking")
        with gr.Column(scale=7, min_width=320):
            with card("Cosine similarity", note="cosine: 1 = same meaning, 0 = unrelated"):
                nothing = html(NOTHING)
                figure = live_plot(height=440, describes=DESCRIPTION, elem_id="compare-map")
                pairs = html(elem_id="compare-pairs")
            with card("Embeddings"):
                numbers = html(quiet("The first numbers of each embedding appear here."), elem_id="compare-numbers")
    gr.on(
        [button.click, query.submit, demo.load],
        partial(compare, services),
        [sentences, query],
        [figure, nothing, pairs, numbers, ranking],
        api_name="similarity",
        show_progress="hidden",
        concurrency_limit=4,
    )
    return sentences
